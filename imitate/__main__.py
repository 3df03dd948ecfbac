"""`python -m imitate`."""

import os

# Threads of torch that wait by spinning would fight the threads of physics; it is read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from imitate.cli import main

if __name__ == "__main__":
    main()
