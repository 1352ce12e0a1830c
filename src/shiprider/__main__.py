"""`python -m shiprider`."""

from shiprider.cli.main import main

main()
