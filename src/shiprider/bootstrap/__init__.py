"""The one place that names concrete adapters and puts the pieces together, one file for each of them.

Always true: nothing here decides anything but which adapter stands behind which port; this file
imports nothing, so that a command pays only for the pieces that it takes.
"""
