"""A deep copy of the layer, its rows rewritten."""

import copy


def fold_film(norm, film):
    layer, channels = copy.deepcopy(film), len(norm.weight)
    with torch.no_grad():
        weight, bias = film.weight, film.bias
        for c in range(channels):
            layer.weight[c] = norm.weight[c] * weight[c]
            layer.bias[c] = norm.weight[c] * (1 + bias[c])
            layer.weight[channels + c] = norm.bias[c] * weight[c] + weight[channels + c]
            layer.bias[channels + c] = norm.bias[c] * (1 + bias[c]) + bias[channels + c]
    return layer
