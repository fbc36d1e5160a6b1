"""Workbooks: reading them, writing them and the hidden sheet that lets one come back."""
