"""A mask for the last place, and a result that is filled."""


def action_matrix(next_frame, past, actions, eps, num_actions):
    last = torch.arange(actions.shape[1]) == actions.shape[1] - 1
    matrix = eps.new_empty(len(eps), num_actions, *eps.shape[1:])
    with torch.no_grad():
        for action in range(num_actions):
            matrix[:, action] = next_frame(eps, past, torch.where(last, action, actions))
    return matrix
