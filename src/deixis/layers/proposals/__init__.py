"""Where something is in a picture, before anybody asked: a two-stage detector of one class, box by box.

Boxes are ``cx cy w h`` as fractions of the sides of the square that the network sees, unless a name says
otherwise; ``xyxy`` are corners in the same fractions.
"""
