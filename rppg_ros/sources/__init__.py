"""Where frames come from when not from a topic: cameras, video files, image folders, bags, the made-up person."""
