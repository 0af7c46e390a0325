"""Opening pictures and making others of them; each comes with the frame that its coordinates are in."""

from deixis.pictures.opening import Picture, open_picture
from deixis.pictures.padding import letterbox, pad
from deixis.pictures.resizing import resize
from deixis.pictures.tiling import crop, tile

__all__ = ["Picture", "open_picture", "resize", "pad", "letterbox", "crop", "tile"]
