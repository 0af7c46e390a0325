"""From text to tokens and back: vocabulary, embedding, packing of dialogues, the grammar of places."""
