"""``python -m desktop_crm.tour``."""

import sys

from desktop_crm.tour import main

sys.exit(main())
