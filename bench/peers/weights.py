"""A GGUF file as a model folder for transformers, in 32-bit floats, so that every peer reads the same weights and none needs the network.

Usage: python weights.py FILE.gguf FOLDER
"""

import pathlib
import sys

from worker import answer, packages

with packages():
    import gguf  # noqa: F401 (transformers reads the file with it)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

source, folder = map(pathlib.Path, sys.argv[1:])
where = {"pretrained_model_name_or_path": str(source.parent), "gguf_file": source.name}
tokenizer = AutoTokenizer.from_pretrained(**where)
read = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
# The model that was read remembers that it was quantised and refuses to be saved; one made anew from its config does not.
config = read.config
del config.quantization_config
model = type(read)(config).to(torch.float32)
model.load_state_dict(read.state_dict())
# Written last and moved into place, so that a folder that is there is whole.
partial = folder.with_name(folder.name + ".partial")
model.save_pretrained(partial)
tokenizer.save_pretrained(partial)
partial.rename(folder)
answer(folder=str(folder))
