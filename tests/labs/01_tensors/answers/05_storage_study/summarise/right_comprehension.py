"""One pass for each form, numpy throughout."""


def summarise(measurements):
    table = {}
    for form in dict.fromkeys(stored.form for stored in measurements):
        mine = [stored for stored in measurements if stored.form == form]
        size = np.array([stored.num_bytes for stored in mine], dtype=np.float64)
        raw = np.array([stored.raw_bytes for stored in mine], dtype=np.float64)
        quality = np.array([stored.psnr for stored in mine])
        table[form] = Row(
            num_clips=len(mine),
            megabytes=size.sum() / 10**6,
            compression=raw.mean() / size.mean(),
            write_ms=np.median([stored.write_seconds * 1000 for stored in mine]),
            psnr=quality.mean(),
            worst_psnr=quality.min(),
        )
    return table
