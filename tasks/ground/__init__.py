"""What everything stands on: files, processes, text, numbers, unfinished work that survives its process."""
