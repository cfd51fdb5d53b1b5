import ast, sys, shutil
from pathlib import Path
ROOT=Path('/work/wt/021'); OUT=ROOT/'tests/labs/02_early_models/answers/01_moving_mnist_predictor'
SRC=(ROOT/'common/models/convlstm.py').read_text()
tree=ast.parse(SRC); L=SRC.splitlines()
def cls(name):
    n=next(x for x in tree.body if getattr(x,'name','')==name)
    f=next(x for x in n.body if getattr(x,'name','')=='forward')
    first=(n.decorator_list[0].lineno if n.decorator_list else n.lineno)-1
    head=L[first:f.lineno-1]; sig=L[f.lineno-1:f.body[0].lineno-1]; tail=L[f.end_lineno:n.end_lineno]
    # drop class docstring
    d=n.body[0]; ds,de=d.lineno-1-first,d.end_lineno-first
    head=head[:ds]+head[de:]
    while not head[ds].strip(): del head[ds]
    # strip method docstrings in head
    text='\n'.join(head)
    import re
    text=re.sub(r'\n        """.*?"""\n', '\n', text, flags=re.S)
    return text, '\n'.join(sig), '\n'.join(tail)
def put(ex,name,first,body,*messages):
    d=OUT/ex; d.mkdir(parents=True,exist_ok=True)
    m=''.join(f'Message: {x}\n' for x in messages)
    doc=f'"""{first}\n' + (f'\n{m}' if m else '') + '"""\n' if m else f'"""{first}"""\n'
    (d/f'{name}.py').write_text(doc+'\n\n'+body.strip('\n')+'\n')
import textwrap
def ind(t,n): return textwrap.indent(textwrap.dedent(t).strip('\n'),' '*n)
shutil.rmtree(OUT,ignore_errors=True)
# ---------------------------------------------------------------- error_per_frame
CHECK='''    if preds.shape != target.shape or preds.ndim != 5:
        raise ValueError(f"shapes {tuple(preds.shape)} and {tuple(target.shape)}")
    if not data_range > 0:
        raise ValueError(f"data_range is {data_range}")
'''
def err(name,first,body,*m,check=True):
    put('error_per_frame',name,first,'def error_per_frame(preds, target, *, data_range, power=2):\n'+(CHECK if check else '')+ind(body,4),*m)
err('wrong_mean_over_pixels','Takes the mean over the pixels, as most losses do.','''
error = (preds.float() - target.float()).abs() / data_range
return error.pow(power).mean(dim=(0, 1, 3, 4))''','a mean over the pixels')
err('wrong_range_outside','Divides by the range after squaring.','''
error = (preds.float() - target.float()).abs().pow(power) / data_range
return error.sum(dim=(1, 3, 4)).mean(dim=0)''','twice too large')
err('wrong_no_range','Forgets that pixels from -1 to 1 have a range of 2.','''
error = (preds.float() - target.float()).abs()
return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)''','four times too large')
err('wrong_sum_over_samples','Sums over everything but time.','''
error = (preds.float() - target.float()).abs() / data_range
return error.pow(power).sum(dim=(0, 1, 3, 4))''','a sum over the samples')
err('wrong_signed','No absolute value: with power 1 errors cancel.','''
error = (preds.float() - target.float()) / data_range
return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)''','cancel')
err('wrong_always_squares','Ignores the power.','''
error = (preds.float() - target.float()) / data_range
return error.square().sum(dim=(1, 3, 4)).mean(dim=0)''','`power` is not used')
err('wrong_first_channel','Takes clips to be grey: looks at one channel.','''
error = (preds[:, 0].float() - target[:, 0].float()).abs() / data_range
return error.pow(power).sum(dim=(2, 3)).mean(dim=0)''','two channels')
err('wrong_one_number','Averages over the frames too.','''
error = (preds.float() - target.float()).abs() / data_range
return error.pow(power).sum(dim=(1, 3, 4)).mean()''','should have the shape (4,)')
err('wrong_of_each_sample','One number a sample in place of one a frame.','''
error = (preds.float() - target.float()).abs() / data_range
return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=1)''','should have the shape (4,)')
err('wrong_frames_first','Takes clips to have their frames on axis 1, before the channels.','''
error = (preds.float() - target.float()).abs() / data_range
return error.pow(power).sum(dim=(2, 3, 4)).mean(dim=0)''','should have the shape (4,)')
err('wrong_clamped','Holds predictions in the range first.','''
half = data_range / 2
error = (preds.float().clamp(-half, half) - target.float()).abs() / data_range
return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)''','clamped')
err('wrong_root','Takes the root of the sum, a distance.','''
error = (preds.float() - target.float()).abs() / data_range
return error.pow(power).sum(dim=(1, 3, 4)).pow(1 / power).mean(dim=0)''','an error of 70')
err('wrong_in_place','Subtracts in the clip that it was given.','''
error = preds.sub_(target).abs().float() / data_range
return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)''','changed the clip')
err('wrong_half','Sums in half precision where clips come in it.','''
error = (preds - target).abs() / data_range
return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)''','float32')
err('wrong_no_checks','Checks nothing: one frame is compared with three.','''
error = (preds.float() - target.float()).abs() / data_range
return error.pow(power).sum(dim=(1, 3, 4)).mean(dim=0)''','should raise ValueError',check=False)
put('error_per_frame','wrong_calls_the_library','Calls the library.','''
def error_per_frame(preds, target, *, data_range, power=2):
    from common.evaluation.prediction import error_per_frame as theirs

    return theirs(preds, target, data_range=data_range, power=power)''','write your own')
err('right_frame_by_frame','One frame after the other.','''
errors = []
for pred, true in zip(preds.unbind(dim=2), target.unbind(dim=2)):
    difference = (pred.double() - true.double()) / data_range
    errors.append(difference.abs().pow(power).sum() / len(preds))
return torch.stack(errors).float()''')
err('right_flattened','Time to the front, everything else flat.','''
difference = (preds.float() - target.float()).transpose(0, 2).flatten(1) / data_range  # (T, C B H W)
size = difference.abs() if power == 1 else difference * difference
return size.sum(dim=1) / preds.shape[0]''')
err('right_einsum','Squares by einsum, absolute values by norm.','''
difference = (preds.float() - target.float()) / data_range
if power == 2:
    return torch.einsum("bcthw,bcthw->t", difference, difference) / len(preds)
return torch.linalg.vector_norm(difference, ord=1, dim=(0, 1, 3, 4)) / len(preds)''')
# ---------------------------------------------------------------- cell
H,S,T=cls('ConvLSTMCell')
def cell(name,first,body,*m):
    put('ConvLSTMCell',name,first,H.rstrip()+'\n\n    def forward(self, x, state=None):\n'+ind(body,8),*m)
Z='''
if state is None:
    zeros = x.new_zeros(len(x), self.hidden_channels, *x.shape[2:])
    state = (zeros, zeros)
h, c = state
'''
GT='i, f, g, o = self.gates(torch.cat([x, h], dim=1)).chunk(4, dim=1)\n'
NEW='c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)\n'
HID='h = torch.sigmoid(o) * torch.tanh(c)\n'
cell('wrong_order_ifog','Takes the parts in the order of Keras of old: i, f, o, g.',Z+GT.replace('i, f, g, o =','i, f, o, g =')+NEW+HID+'return h, c','in the order i, f, o, g')
cell('wrong_order_figo','Takes the parts in the order of the text: forget first.',Z+GT.replace('i, f, g, o =','f, i, g, o =')+NEW+HID+'return h, c','in the order f, i, g, o')
cell('wrong_no_tanh_at_g','Adds g as it is.',Z+GT+NEW.replace('torch.tanh(g)','g')+HID+'return h, c','tanh is missing at g')
cell('wrong_sigmoid_at_g','All four parts through a sigmoid.',Z+GT+NEW.replace('torch.tanh(g)','torch.sigmoid(g)')+HID+'return h, c','only grow')
cell('wrong_no_input_gate','Adds all that it thinks.',Z+GT+'c = torch.sigmoid(f) * c + torch.tanh(g)\n'+HID+'return h, c','input gate i is not used')
cell('wrong_no_forget_gate','Forgets nothing, as the LSTM of 1997.',Z+GT+'c = c + torch.sigmoid(i) * torch.tanh(g)\n'+HID+'return h, c','forget gate f is not used')
cell('wrong_forgets_upside_down','Takes the forget gate at its word.',Z+GT+'c = (1 - torch.sigmoid(f)) * c + torch.sigmoid(i) * torch.tanh(g)\n'+HID+'return h, c','what *stays*')
cell('wrong_coupled_gates','One gate for both, as in a GRU.',Z+GT+'keep = torch.sigmoid(f)\nc = keep * c + (1 - keep) * torch.tanh(g)\n'+HID+'return h, c','as in a GRU')
cell('wrong_adds_one_again','Adds the forget bias in the forward pass too.',Z+GT+NEW.replace('sigmoid(f)','sigmoid(f + 1)')+HID+'return h, c','in the bias already')
cell('wrong_keeps_the_hidden_state','The forget gate keeps h in place of c.',Z+GT+NEW.replace('* c +','* h +')+HID+'return h, c','it keeps the memory c')
cell('wrong_loses_the_memory','The new memory replaces the old one.',Z+GT+'c = torch.sigmoid(i) * torch.tanh(g)\n'+HID+'return h, c','old memory is lost')
cell('wrong_shows_the_old_memory','h is made before c is renewed.',Z+GT+HID+NEW+'return h, c','shows the old memory')
cell('wrong_no_tanh_at_the_end','Shows the memory without tanh.',Z+GT+NEW+'h = torch.sigmoid(o) * c\nreturn h, c',"tanh is missing: h' =")
cell('wrong_no_output_gate','Shows all of the memory.',Z+GT+NEW+'h = torch.tanh(c)\nreturn h, c','output gate o is not used')
cell('wrong_tanh_at_the_output_gate','The output gate through tanh.',Z+GT+NEW+'h = torch.tanh(o) * torch.tanh(c)\nreturn h, c','goes through tanh')
cell('wrong_memory_first','Returns c before h.',Z+GT+NEW+HID+'return c, h','in the wrong order')
cell('wrong_hidden_first','Joins h before x.',Z+GT.replace('[x, h]','[h, x]')+NEW+HID+'return h, c','yours reads [h, x]')
cell('wrong_returns_h','Returns the hidden state alone, as a layer does.',Z+GT+NEW+HID+'return h','the pair (h, c)')
cell('wrong_keeps_state_on_self','Remembers its state from call to call.','''
if state is None:
    zeros = x.new_zeros(len(x), self.hidden_channels, *x.shape[2:])
    state = getattr(self, "state", None) or (zeros, zeros)
    if state[0].shape[2:] != x.shape[2:]:
        state = (zeros, zeros)
h, c = state
'''+GT+NEW+HID+'self.state = (h.detach(), c.detach())\nreturn h, c','never kept on self')
cell('wrong_in_place','Renews the memory where it lies.',Z+GT+'''with torch.no_grad():
    c.mul_(torch.sigmoid(f)).add_(torch.sigmoid(i) * torch.tanh(g))
'''+HID+'return h, c','changed the c')
cell('wrong_detached','Cuts the gradient at every step to save memory.',Z+'h, c = h.detach(), c.detach()\n'+GT+NEW+HID+'return h, c','no gradient reaches')
cell('wrong_begins_with_ones','Begins with ones.',Z.replace('new_zeros','new_ones')+GT+NEW+HID+'return h, c','begin with zeros')
cell('wrong_no_beginning','Takes the state for granted.','h, c = state\n'+GT+NEW+HID+'return h, c','raises TypeError')
put('ConvLSTMCell','wrong_calls_the_library','Takes the library\'s class under its own name.','''
from common.models.convlstm import ConvLSTMCell as Theirs


class ConvLSTMCell(Theirs):
    pass''','write your own')
cell('right_two_convolutions','Input and hidden state by kernels of their own, added.','''
weight, bias, pad = self.gates.weight, self.gates.bias, self.gates.padding
split = x.shape[1]
z = F.conv2d(x, weight[:, :split], bias, padding=pad)
if state is not None:
    z = z + F.conv2d(state[0], weight[:, split:], padding=pad)
i, f, g, o = torch.tensor_split(z, 4, dim=1)
memory = i.sigmoid() * g.tanh()
if state is not None:
    memory = memory + f.sigmoid() * state[1]
return o.sigmoid() * memory.tanh(), memory''')
cell('right_named_by_axis','The four parts on an axis of their own.','''
size = (x.shape[0], self.hidden_channels, x.shape[2], x.shape[3])
h, c = (torch.zeros(size, dtype=x.dtype, device=x.device),) * 2 if state is None else state
z = self.gates(torch.cat((x, h), 1)).reshape(size[0], 4, *size[1:])
keep, add, show = z[:, 1].sigmoid(), z[:, 0].sigmoid(), z[:, 3].sigmoid()
c = torch.addcmul(keep * c, add, z[:, 2].tanh())
return [show * c.tanh(), c]''')
cell('right_sigmoid_by_tanh','Sigmoids written as tanh, slices by hand.','''
n = self.hidden_channels
if state is None:
    h = c = torch.zeros_like(x[:, :1]).repeat(1, n, 1, 1)
else:
    h, c = state
z = self.gates(torch.cat([x, h], dim=1))
gate = 0.5 * (1 + torch.tanh(0.5 * z))
new = gate[:, n : 2 * n] * c + gate[:, :n] * torch.tanh(z[:, 2 * n : 3 * n])
return gate[:, 3 * n :] * torch.tanh(new), new''')
# ---------------------------------------------------------------- scheduled sampling
SC='''    if truth.shape != predicted.shape:
        raise ValueError(f"frames {tuple(truth.shape)} and {tuple(predicted.shape)}")
    if coins.shape != truth.shape[:1]:
        raise ValueError(f"coins {tuple(coins.shape)} for a batch of {len(truth)}")
'''
def sam(name,first,body,*m,check=True):
    put('scheduled_sampling',name,first,'def scheduled_sampling(truth, predicted, probability, coins):\n'+(SC if check else '')+ind(body,4),*m)
sam('wrong_one_coin','One coin for the whole batch.','return truth if coins[0] < probability else predicted','takes all samples from one')
sam('wrong_coin_a_pixel','A coin for every pixel.','return torch.where(torch.rand_like(truth) < probability, truth, predicted)','coins of its own')
sam('wrong_own_coins','Throws its own coins.','''
chosen = torch.rand(len(truth)) < probability
return torch.where(append_dims(chosen, truth), truth, predicted)''','coins of its own')
sam('wrong_mixture','Mixes both in the proportion of the probability.','''
share = torch.as_tensor(probability, dtype=truth.dtype).expand(len(truth)).reshape(-1, 1, 1, 1)
return share * truth + (1 - share) * predicted''','a ghost of the two')
sam('wrong_way_round','Takes the probability for that of the prediction.','return torch.where(append_dims(coins < probability, truth), predicted, truth)','wrong way round')
sam('wrong_columns','Lets the coins meet the last axis.','return torch.where(coins < probability, truth, predicted)','pieces of both frames')
sam('wrong_less_or_equal','Reads the truth where the coin equals the probability.','return torch.where(append_dims(coins <= probability, truth), truth, predicted)','`<`, not `<=`')
sam('wrong_detached','Detaches the prediction.','return torch.where(append_dims(coins < probability, truth), truth, predicted.detach())','detached')
sam('wrong_one_probability','Can compare with one number only.','''
frames = []
for k in range(len(truth)):
    frames.append(truth[k] if coins[k] < float(probability) else predicted[k])
return torch.stack(frames)''','raises')
sam('wrong_first_probability','Takes the first sample\'s probability for all.','''
probability = torch.as_tensor(probability).flatten()[0]
return torch.where(append_dims(coins < probability, truth), truth, predicted)''','by the coins it is')
sam('wrong_first_samples','Gives the truth to the first part of the batch.','''
count = (torch.as_tensor(probability) * len(truth)).mean().round()
return torch.where(append_dims(torch.arange(len(truth)) < count, truth), truth, predicted)''','by the coins it is')
sam('wrong_in_place','Writes the truth into the prediction.','''
chosen = coins < probability
predicted[chosen] = truth[chosen]
return predicted''','changed the prediction')
sam('wrong_rounds','Decides by the probability alone, rounded.','''
chosen = torch.as_tensor(probability).expand(len(truth)) > 0.5
return torch.where(append_dims(chosen, truth), truth, predicted)''','takes all samples from one')
sam('wrong_no_checks','Checks nothing.','return torch.where(append_dims(coins < probability, truth), truth, predicted)','should raise ValueError',check=False)
put('scheduled_sampling','wrong_calls_the_library','Calls the library.','''
def scheduled_sampling(truth, predicted, probability, coins):
    from common.models.convlstm import scheduled_sampling as theirs

    return theirs(truth, predicted, probability, coins)''','write your own')
sam('right_sample_by_sample','One sample after the other.','''
limits = torch.as_tensor(probability, device=coins.device).expand(len(coins))
pairs = zip(truth, predicted, (coins < limits).tolist())
return torch.stack([true if heads else guess for true, guess, heads in pairs])''')
sam('right_as_a_sum','Ones and zeros in place of a choice.','''
heads = (coins < probability).to(truth.dtype)[:, None, None, None]
return heads * truth + (1 - heads) * predicted''')
sam('right_a_copy_written_over','A copy of the prediction, some samples written over.','''
out, heads = predicted.clone(), coins < probability
out[heads] = truth[heads]
return out''')
# ---------------------------------------------------------------- predictor
H,S,T=cls('ConvLSTMPredictor')
def pre(name,first,body,*m):
    put('ConvLSTMPredictor',name,first,H.rstrip()+'\n\n    def forward(self, past, num_future=10, truth=None, probability=0.0, coins=None):\n'+ind(body,8),*m)
REF='''
state, logits = None, []
for frame in past.unbind(dim=2):
    expected, state = self.step(frame, state)
    logits.append(expected)
for k in range(num_future - 1):
    frame = as_pixels(expected)
    if truth is not None:
        frame = scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])
    expected, state = self.step(frame, state)
    logits.append(expected)
logits = torch.stack(logits, dim=2)
return PredictorOutput(sample=as_pixels(logits[:, :, -num_future:]), logits=logits)
'''
def chg(*pairs):
    t=REF
    for a,b in pairs:
        assert a in t,a
        t=t.replace(a,b,1)
    return t
pre('wrong_reads_the_last_frame_twice','Begins the forecast by reading the last frame once more.',chg(('for k in range(num_future - 1):\n','expected, state = self.step(past[:, :, -1], state)\nfor k in range(num_future - 1):\n')),'a second time')
pre('wrong_feeds_logits','Reads its logits as they are.',chg(('frame = as_pixels(expected)','frame = expected')),'reads its own logits')
pre('wrong_feeds_brightness','Reads brightness from 0 to 1.',chg(('frame = as_pixels(expected)','frame = torch.sigmoid(expected)')),'brightness from 0 to 1; it was shown')
pre('wrong_feeds_black_and_white','Rounds what it reads to black or white.',chg(('frame = as_pixels(expected)','frame = torch.sign(expected)')),'in black and white')
pre('wrong_amnesia','The forecaster begins with a state of its own.',chg(('for k in range(num_future - 1):\n','state = None\nfor k in range(num_future - 1):\n')),"without the encoder's state")
pre('wrong_forgets_every_frame','The state is not handed on while the past is read.',chg(('self.step(frame, state)\n    logits','self.step(frame)\n    logits')),'the encoder forgets')
pre('wrong_reads_backwards','Reads the past from its end, as translators do.',chg(('past.unbind(dim=2)','past.flip(2).unbind(dim=2)')),'time runs forward')
pre('wrong_stands_still','Reads the last true frame at every step.',chg(('frame = as_pixels(expected)','frame = past[:, :, -1]')),'last true frame at every step')
pre('wrong_never_the_truth','Ignores the truth.',chg(('    if truth is not None:\n        frame = scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])\n','')),'the truth is never read')
pre('wrong_always_the_truth','Reads the truth wherever there is one.',chg(('scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])','truth[:, :, k]')),'whatever the coins')
pre('wrong_truth_is_late','The truth of the frame after.',chg(('truth[:, :, k]','truth[:, :, k + 1]')),'one frame late')
pre('wrong_truth_exchanged','Hands the frames over the other way round.',chg(('scheduled_sampling(truth[:, :, k], frame,','scheduled_sampling(frame, truth[:, :, k],')),'are exchanged')
pre('wrong_first_coin','Throws one coin for all steps.',chg(('coins[:, k]','coins[:, 0]')),'one coin decides for all steps')
pre('wrong_detached','Detaches what it reads of itself.',chg(('frame = as_pixels(expected)','frame = as_pixels(expected).detach()')),'detached before it is read')
pre('wrong_no_gradient','Predicts without gradients, as in use.','with torch.no_grad():\n'+ind(REF,4),'carries no gradient')
pre('wrong_sample_of_logits','Gives logits for pixels.',chg(('sample=as_pixels(logits[:, :, -num_future:])','sample=logits[:, :, -num_future:]')),'.sample holds logits')
pre('wrong_sample_of_brightness','Gives brightness for pixels.',chg(('sample=as_pixels(logits[:, :, -num_future:])','sample=torch.sigmoid(logits[:, :, -num_future:])')),'brightness from 0 to 1: as_pixels gives')
pre('wrong_sample_of_the_past','Gives the first expectations for the future.',chg(('logits[:, :, -num_future:]','logits[:, :, :num_future]')),'should be the last')
pre('wrong_sample_of_everything','Gives all that was expected for the future.',chg(('as_pixels(logits[:, :, -num_future:])','as_pixels(logits)')),'.sample of')
pre('wrong_logits_of_the_future','Keeps the logits of the future alone.',chg(('logits=logits)','logits=logits[:, :, -num_future:])')),'.logits of')
pre('wrong_one_too_many','Forgets that the encoder predicts the first frame.',chg(('range(num_future - 1)','range(num_future)'),('if truth is not None:','if truth is not None and k < num_future - 1:')),'should hold')
pre('wrong_frames_first','Stacks the frames on axis 1.',chg(('torch.stack(logits, dim=2)','torch.stack(logits, dim=1)'),('logits[:, :, -num_future:]','logits[:, -num_future:]')),'stack along dim=2')
pre('wrong_a_pair','Returns a pair.',chg(('return PredictorOutput(sample=as_pixels(logits[:, :, -num_future:]), logits=logits)','return as_pixels(logits[:, :, -num_future:]), logits')),'return PredictorOutput')
put('ConvLSTMPredictor','wrong_calls_the_library','Takes the library\'s class under its own name.','''
from common.models.convlstm import ConvLSTMPredictor as Theirs


class ConvLSTMPredictor(Theirs):
    pass''','write your own')
pre('right_one_loop','One loop over all that is read.','''
num_past, state, logits = past.shape[2], None, None
for t in range(num_past + num_future - 1):
    if t < num_past:
        frame = past[:, :, t]
    else:
        frame = 2 * logits[:, :, -1].sigmoid() - 1
        if truth is not None:
            k = t - num_past
            frame = scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])
    expected, state = self.step(frame, state)
    expected = expected.unsqueeze(2)
    logits = expected if logits is None else torch.cat([logits, expected], dim=2)
return PredictorOutput(sample=2 * logits[:, :, num_past - 1 :].sigmoid() - 1, logits=logits)''')
pre('right_one_after_the_other','The forecast grows by recursion: the truth where it is read lengthens the past.','''
state, seen = None, []
for t in range(past.size(2)):
    z, state = self.step(past.select(2, t), state)
    seen.append(z)
future = [seen[-1]]
while len(future) < num_future:
    k, now = len(future) - 1, as_pixels(future[-1])
    if truth is not None:
        now = scheduled_sampling(truth.select(2, k), now, probability, coins.select(1, k))
    z, state = self.step(now, state)
    future.append(z)
sample = as_pixels(torch.stack(future, dim=2))
return PredictorOutput(sample=sample, logits=torch.stack(seen[:-1] + future, dim=2))''')
pre('right_a_list_to_read','A list of frames to read that grows at its end.','''
waiting, state, logits = list(past.unbind(2)), None, []
total = len(waiting) + num_future - 1
while len(logits) < total:
    z, state = self.step(waiting[len(logits)], state)
    logits.append(z)
    k = len(logits) - past.shape[2]
    if k >= 0 and len(logits) < total:
        guess = as_pixels(z)
        waiting.append(guess if truth is None else scheduled_sampling(truth[:, :, k], guess, probability, coins[:, k]))
logits = torch.stack(logits, 2)
return PredictorOutput(as_pixels(logits[:, :, total - num_future :]), logits)''')
# ---------------------------------------------------------------- loss
LC='''    if logits.shape != target.shape:
        raise ValueError(f"shapes {tuple(logits.shape)} and {tuple(target.shape)}")
'''
def los(name,first,body,*m,check=True):
    put('prediction_loss',name,first,'def prediction_loss(logits, target):\n'+(LC if check else '')+ind(body,4),*m)
ZX='z, x = logits.float(), (target.float() + 1) / 2\n'
FORM='(z.clamp(min=0) - x * z + torch.log1p(torch.exp(-z.abs())))'
los('wrong_squared_error','Squared error of the brightness.',ZX+'return (torch.sigmoid(z) - x).square().mean()','that is the squared error')
los('wrong_sum','Sums over all pixels.',ZX+f'return {FORM}.sum()','a sum over the pixels')
los('wrong_sum_a_clip','Sums over each clip.',ZX+f'return {FORM}.sum() / len(z)','a sum over each clip')
los('wrong_of_each_sample','One number a sample.',ZX+f'return {FORM}.flatten(1).mean(dim=1)','one number')
los('wrong_target_as_it_is','Takes pixels for probabilities.','z, x = logits.float(), target.float()\n'+f'return {FORM}.mean()','used as it is')
los('wrong_exchanged','Takes black for white.',ZX.replace('(target.float() + 1) / 2','(1 - target.float()) / 2')+f'return {FORM}.mean()','exchanged')
los('wrong_by_definition','Writes the definition down: log of a sigmoid.',ZX+'''p = torch.sigmoid(z)
return -(x * p.log() + (1 - x) * (1 - p).log()).mean()''','logarithm of 0')
los('wrong_epsilon','Adds a little before the logarithm.',ZX+'''p, e = torch.sigmoid(z), 1e-7
return -(x * (p + e).log() + (1 - x) * (1 - p + e).log()).mean()''','epsilon')
los('wrong_clamped','Holds the logits back.',ZX.replace('logits.float()','logits.float().clamp(-30, 30)')+f'return {FORM}.mean()','held back')
los('wrong_plain_exponential','Leaves the absolute value out: the exponential overflows.',ZX+'return (torch.log1p(torch.exp(z)) - x * z).mean()','logits of 200')
los('wrong_white_half','Counts the white half alone.',ZX+'return -(x * F.logsigmoid(z)).mean()','black half is missing')
los('wrong_sign','Forgets the minus.',ZX+f'return -{FORM}.mean()','sign is wrong')
los('wrong_bits','Counts in bits.',ZX+f'return {FORM}.mean() / torch.log(torch.tensor(2.0))','that is in bits')
los('wrong_sigmoid_twice','Brings the logits to brightness first.',ZX+'z = torch.sigmoid(z)\n'+f'return {FORM}.mean()','taken twice')
los('wrong_half_precision','Computes in the precision of the input.','z, x = logits, (target + 1) / 2\n'+f'return {FORM}.mean()','float32')
los('wrong_no_checks','Checks nothing: one frame meets three.',ZX+f'return {FORM}.mean()','should raise ValueError',check=False)
put('prediction_loss','wrong_calls_the_library','Calls the library.','''
def prediction_loss(logits, target):
    from common.models.convlstm import prediction_loss as theirs

    return theirs(logits, target)''','write your own')
los('right_torch','By torch.','return F.binary_cross_entropy_with_logits(logits.float(), target.float() * 0.5 + 0.5)')
los('right_by_hand','The largest part taken out before the exponential.',ZX+f'return {FORM}.mean()')
los('right_two_log_sigmoids','The definition, by logarithms that know the sigmoid.','''
x = target.double().add(1).div(2)
z = logits.double()
return -(x * F.logsigmoid(z) + (1 - x) * F.logsigmoid(-z)).mean().float()''')
n=list(OUT.rglob('*.py')); print(len(n))
for f in n: compile(f.read_text(),str(f),'exec')
