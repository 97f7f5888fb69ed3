"""Write the projection of the configured encoder into the package: `python -m evaluation.ship_projection`.

Computing it takes minutes for a large encoder. The file is found again by the checksums of the encoder's files and of
the calibration text, so it is written anew when either changes.
"""

import click

from rag.config import Config
from rag.encoding.encoder import SHIPPED, SentenceEncoder, name_projection
from rag.encoding.projection import save_projection


def main() -> None:
    """Find the projection unless it is in the cache, and write it compactly."""
    encoder = SentenceEncoder.load(Config.from_env())
    SHIPPED.mkdir(exist_ok=True)
    file = SHIPPED / name_projection(str(encoder.describe()["fingerprint"]), encoder.settings)
    save_projection(encoder.projection, file, compact=True)
    click.echo(f"Written: {file}")


if __name__ == "__main__":
    main()
