"""`arcade-rooms-fast`: the world model `arcade-rooms` in one step, sharp where the future is open."""
