"""How fast the pipeline is and how much memory it takes, beside the stock tools: `make bench`.

Both sides of a comparison run in turns, as whole processes and on the same files.
"""

from tasks.ground.od_api_imports import prepare_imports

prepare_imports()
