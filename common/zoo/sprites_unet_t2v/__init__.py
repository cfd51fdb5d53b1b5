"""`sprites-unet-t2v`: prompt to video, with layers along time in `sprites-image`."""
