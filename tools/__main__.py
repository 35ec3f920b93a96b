"""`python -m tools`: writes every document that comes from the code."""

from tools.documents import DOCUMENTS, ROOT

for name, document in DOCUMENTS.items():
    (ROOT / name).write_text(document(), encoding="utf-8")
