"""What everything stands on: files, processes, text, numbers, work that outlives a killed process."""
