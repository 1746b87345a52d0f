"""`python -m virtual_gpu_lut_box`: the command line."""

import sys

from virtual_gpu_lut_box.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
