"""`python -P -m tests.helm`: writes what is made from other files; the tests compare."""

from tests.helm import making

if __name__ == "__main__":
    for path, text in making.made_files().items():
        path.write_text(text, encoding="utf-8")
