"""A network in a box: namespaces joined by an emulated link, for tests, benchmarks and trying a link by hand."""
