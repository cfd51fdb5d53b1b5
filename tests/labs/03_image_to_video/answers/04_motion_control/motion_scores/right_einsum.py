"""With einsum, and nanmean for frames that do not count."""


def motion_scores(flow, masks, fps):
    if not fps > 0:
        raise ValueError(f"fps {fps}")
    w_in, w_out = masks, 1 - masks
    n_in, n_out = torch.einsum("...thw->...t", w_in), torch.einsum("...thw->...t", w_out)
    v_in = torch.einsum("...cthw,...thw->...ct", flow, w_in)
    v_out = torch.einsum("...cthw,...thw->...ct", flow, w_out)
    v_out = torch.where(n_out[..., None, :] > 0, v_out / n_out[..., None, :], 0.0)
    v_in = torch.where(n_in[..., None, :] > 0, v_in / n_in[..., None, :] - v_out, torch.nan)
    camera = torch.where(n_out > 0, v_out.norm(dim=-2), torch.nan)
    both = torch.stack([v_in.norm(dim=-2).nanmean(-1), camera.nanmean(-1)], -1)
    return both.nan_to_num(0.0) * fps / flow.shape[-2]
