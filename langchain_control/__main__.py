"""`python -m langchain_control`."""

import sys

from langchain_control.cli import main

if __name__ == "__main__":
    sys.exit(main())
