"""Fetching what clinics keep elsewhere, into a folder that is then read as an inbox is: databases and object stores."""
