"""All tests of Seedshot: ``python3 -m tests`` runs them."""
