"""The main job on embedded data, and the page that shows it."""
