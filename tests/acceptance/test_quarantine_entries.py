"""What a node refused can be found again in the file it came from, byte by byte."""

GOOD = b"\\c:1700000000*5A\\!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"
BAD = {
    b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*25": "bad checksum",
    b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0": "no checksum",
    b"!AIVDM,2,1,7,B,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1D": "missing part",
}


def checksum(body: bytes) -> bytes:
    value = 0
    for octet in body:
        value ^= octet
    return b"%02X" % value


def test_every_entry_names_file_byte_offset_and_reason(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    tag = b"c:1700000000"
    good = b"\\" + tag + b"*" + checksum(tag) + b"\\" + GOOD[GOOD.index(b"!") :]
    data = b"noise between\r\n" + good
    places = {}
    for line, reason in BAD.items():
        if reason == "missing part":
            body = line[1 : line.rindex(b"*")]
            line = b"!" + body + b"*" + checksum(body)
        places[len(data)] = (len(line), reason)
        data += line + b"\r\n" + good
    path = tmp_path / "refused.nmea"
    path.write_bytes(data)
    folder = tmp_path / "node"
    assert shiprider("init", folder).code == 0
    told = shiprider("ingest", path, "--node", folder, "--json")
    assert told.code == 0, told.err
    told = shiprider("quarantine", "--node", folder, "--entries", 50, "--json")
    assert told.code == 0, told.err
    found = {e["file_offset"]: (e["length"], e["reason"]) for e in told.objects()}
    assert found == places
    for entry in told.objects():
        assert entry["file"].endswith("refused.nmea")
        start = entry["file_offset"]
        assert data[start : start + entry["length"]].decode().startswith(entry["excerpt"][:40])
    assert "missing part" in shiprider("quarantine", "--node", folder, "--entries", 1).out
