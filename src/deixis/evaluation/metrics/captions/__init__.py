"""Scores of captions (BLEU, ROUGE-L, CIDEr, METEOR) as COCO's evaluation of captions counts them."""
