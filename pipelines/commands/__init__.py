"""The verbs of the command line, one module each, loaded only when its verb is used.

A module here holds a click command named `command` that turns words into arguments and results into lines; the work
itself belongs in the rooms.
"""
