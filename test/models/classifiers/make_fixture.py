"""Makes small text classifiers with random weights in the layout of transformers.js, and what Hugging Face's library says of some texts.

Usage: python3 make_fixture.py OUT

Needs torch, transformers, tokenizers, onnx and onnxscript. OUT receives bert/ (WordPiece, three labels that exclude one another), toxic/ (the
same shape, two labels that do not) and reference.json. The tests of this folder compare smcc with it.
"""

import json
import pathlib
import sys

import onnx
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "film", "was", "good", "bad", "a", "gar", "##den", "##s", "cafe", "!", ".", ",", "'", "not", "so", "very", "##ly"]
TEXTS = [
    "The film was good.",
    "the film was not so good, not good!",
    "Café gardens",
    "",
    "unknown wörds",
    "very very very very very very very very very very very very very very very very very bad",
    "the film was very, very long " * 4,
]
WINDOW = 24


def tokenizer():
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=WINDOW, model_input_names=inputs, **special)


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


def make(folder, labels, problem):
    torch.manual_seed(len(labels))
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        problem_type=problem,
        attn_implementation="eager",
    )
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.7)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    model.config.architectures = ["BertForSequenceClassification"]
    (folder / "config.json").write_text(model.config.to_json_string())
    cutter = tokenizer()
    cutter.save_pretrained(folder)
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    batch = cutter(["the film", "a"], padding=True, return_tensors="pt")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    path = folder / "onnx" / "model.onnx"
    rows, length = torch.export.Dim("rows"), torch.export.Dim("length")
    torch.onnx.export(
        Logits(model),
        tuple(batch[name] for name in names),
        path,
        input_names=names,
        output_names=["logits"],
        dynamic_shapes=tuple({0: rows, 1: length} for _ in names),
        external_data=False,
        dynamo=True,
    )
    graph = onnx.load(path)
    for node in graph.graph.node:  # traces of the exporter, with paths of the machine that it ran on
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output, *graph.graph.initializer]:
        del value.metadata_props[:]
    del graph.graph.value_info[:]
    del graph.metadata_props[:]
    del graph.graph.metadata_props[:]
    onnx.save(graph, path)
    answers = []
    for text in TEXTS:
        one = cutter(text, truncation=True, return_tensors="pt")
        with torch.no_grad():
            logits = model(**one).logits[0].double()
        found = torch.sigmoid(logits) if problem else torch.softmax(logits, 0)
        answers.append({"text": text, "ids": one["input_ids"][0].tolist(), "probabilities": found.tolist()})
    return answers


out = pathlib.Path(sys.argv[1])
reference = {
    "bert": make(out / "bert", ["bad", "neutral", "good"], None),
    "toxic": make(out / "toxic", ["toxic", "insult"], "multi_label_classification"),
}
(out / "reference.json").write_text(json.dumps(reference, indent=1, ensure_ascii=False) + "\n")
