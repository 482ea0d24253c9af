"""How fast the pipeline is and what memory it takes, beside the stock tools: `make bench`.

Both sides of a comparison run in turns in one go, as whole processes and on the same files.
"""
