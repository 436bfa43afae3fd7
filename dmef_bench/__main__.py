"""`python -m dmef_bench` is `dmef-bench`."""

from dmef_bench.cli import main

main()
