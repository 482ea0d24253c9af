"""Image and video files: finding, opening, turning, drawing on them. Strangers made them, so every one is suspect."""
