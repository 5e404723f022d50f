"""``python3 -m seedshot_desktop``: sets the app up where needed, and runs it; standard library only until then."""

import sys

from seedshot_desktop.bootstrap import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
