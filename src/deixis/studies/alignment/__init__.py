"""How well vision encoders agree with a language model before anything is trained but one linear map."""
