"""python -m tests.oracle.yardstick --help."""

from tests.oracle.yardstick.run import main

main()
