"""Starts the program: ``python -m desktop_crm``."""

import sys

from desktop_crm.app import main

sys.exit(main())
