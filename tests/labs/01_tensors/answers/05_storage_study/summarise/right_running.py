"""Keeps running sums, in one pass."""


def summarise(measurements):
    sums = {}
    for one in measurements:
        entry = sums.setdefault(one.form, {"raw": 0, "disk": 0, "times": [], "quality": 0.0, "worst": float("inf")})
        entry["raw"] += one.raw_bytes
        entry["disk"] += one.num_bytes
        entry["times"].append(one.write_seconds)
        entry["quality"] += one.psnr
        entry["worst"] = min(entry["worst"], one.psnr)
    return {
        form: Row(
            num_clips=len(entry["times"]),
            megabytes=entry["disk"] * 1e-6,
            compression=entry["raw"] / entry["disk"],
            write_ms=float(np.median(np.array(entry["times"]) * 1e3)),
            psnr=entry["quality"] / len(entry["times"]),
            worst_psnr=entry["worst"],
        )
        for form, entry in sums.items()
    }
