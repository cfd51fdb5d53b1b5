"""Image to video that is told how far the object goes and how far the camera: two doses of motion, not one."""
