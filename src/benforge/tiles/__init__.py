"""From a catalogue to products on the disk: choose tiles and dates, then fetch them."""
