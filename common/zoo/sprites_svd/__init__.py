"""`sprites-svd`: picture and prompt to video, Stable Video Diffusion's U-Net inflated from `sprites-image`."""
