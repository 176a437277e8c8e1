"""The operators' web page: what the command line shows and does, for a browser.

Pages are rendered on the server from what workflows gather; actions are the workflows of the
command line. Nothing is decided here.
"""
