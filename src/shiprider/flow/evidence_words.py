"""What a package says of itself to whoever opens it without our software."""

from typing import Final

README: Final = """\
Shiprider evidence package
==========================
This file holds one finding of a Shiprider node: the records as they were signed (records/), the bytes as the
sensors' feeds delivered them (observations/), the seals by which the node fixed these bytes in its log (seals/),
the proof that records and seals are in the log (log/), and the chain of custody (custody.jsonld, CASE/UCO). manifest.json names every file with its SHA-256; timestamp.tsr, where
there is one, is a time stamp (RFC 3161) over manifest.json; seal.json is the node's signature over both.

Check it, without a network and without Shiprider:   python verify.py package.zip --key KEY_ID
The program and the published form: `verifier/` and `docs/evidence.md` of Shiprider's source. KEY_ID is the node's
key, which you were given by another way than this package. Do not unpack, change and pack it again: any changed
byte fails.

Paquete de pruebas de Shiprider
===============================
Este archivo contiene un hallazgo de un nodo Shiprider: los registros tal como se firmaron (records/), los bytes tal
como los entregaron las fuentes de los sensores (observations/), los sellos con que el nodo fijó esos bytes en su diario (seals/), la prueba de que
registros y sellos están en el diario (log/) y la cadena de custodia (custody.jsonld, CASE/UCO). manifest.json nombra cada archivo con su
SHA-256; timestamp.tsr, si existe, es un sello de tiempo (RFC 3161) sobre manifest.json; seal.json es la firma del
nodo sobre ambos.

Compruébelo, sin red y sin Shiprider:   python verify.py package.zip --key KEY_ID --lang es
El programa y el formato publicado: `verifier/` y `docs/evidence.md` del código de Shiprider. KEY_ID es la clave del
nodo, que se le entregó por otro medio. Contiene lo que quien lo exportó puede exportar: si algo se dejó fuera lo dicen
manifest.json ("withheld") y observations.json ("missing"). No lo descomprima, cambie y comprima de nuevo: cualquier byte cambiado falla.
"""
