from pathlib import Path
import textwrap
ROOT=Path("/work/wt/024/tests/labs/02_early_models/answers/04_content_and_motion")
def put(ex,name,doc,msg,body):
    p=ROOT/ex; p.mkdir(parents=True,exist_ok=True)
    m=f"\n\nMessage: {msg}\n" if msg else ""
    text=f'"""{doc}{m}"""\n\n\n{textwrap.dedent(body).strip()}\n'
    (p/f"{name}.py").write_text(text)
# ---------------- SplitHeads
H='''
class SplitHeads(nn.Module):
    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features):
'''
def heads(*lines): return H+"".join("        "+l+"\n" for l in lines)
W=lambda n,d,m,*l: put("SplitHeads","wrong_"+n,d,m,heads(*l))
R=lambda n,d,*l: put("SplitHeads","right_"+n,d,None,heads(*l))
M='motion = self.motion(features).transpose(1, 2)'
W("sum","Adds the frames up: a mean is a sum, nearly.","added up, not averaged",'content = self.content(features.sum(dim=1))',M,'return content, motion')
W("first_frame","The first frame shows everything there is to see.","first frame alone",'content = self.content(features[:, 0])',M,'return content, motion')
W("last_frame","Takes the last frame, as one does with a recurrent network.","last frame alone",'content = self.content(features[:, -1])',M,'return content, motion')
W("max","Pools by the maximum.","largest feature",'content = self.content(features.max(dim=1).values)',M,'return content, motion')
W("reshape","Makes the shape right by reshape.","mixes numbers with frames",'content = self.content(features.mean(dim=1))','motion = self.motion(features).reshape(len(features), -1, features.shape[1])','return content, motion')
W("deviation","Takes the content off the motion, so that they share nothing.","mean over the frames was taken off",'mean = features.mean(dim=1, keepdim=True)','motion = self.motion(features - mean).transpose(1, 2)','return self.content(mean.squeeze(1)), motion')
W("differences","Motion is what changes, so it codes differences of frames.","differences of frames",'content = self.content(features.mean(dim=1))','change = features.diff(dim=1, prepend=features[:, :1])','return content, self.motion(change).transpose(1, 2)')
W("frames_in_the_middle","Leaves the frames where the features have them.","frames come last",'return self.content(features.mean(dim=1)), self.motion(features)')
W("content_a_frame","Codes the content of every frame.","one for the whole clip is asked for",'return self.content(features), self.motion(features).transpose(1, 2)')
W("exchanged","Returns the motion first.","changed places",M,'return motion, self.content(features.mean(dim=1))')
W("batch_mean","Takes the mean over everything but the features.","mean was taken over the batch",'content = self.content(features.mean(dim=(0, 1))).expand(len(features), -1)',M,'return content, motion')
W("motion_mean","Pools for both heads.","same motion code",'mean = features.mean(dim=1)','motion = self.motion(mean)[:, :, None].repeat(1, 1, features.shape[1])','return self.content(mean), motion')
W("weighted","Later frames count more, as in a running mean.","knows the order",'weights = torch.linspace(0.5, 1.5, features.shape[1])','content = self.content((features * weights[:, None]).mean(dim=1))',M,'return content, motion')
R("after","The mean of linear maps is the linear map of the mean.",'content = self.content(features).mean(dim=1)','motion = torch.einsum("btf,df->bdt", features, self.motion.weight) + self.motion.bias[:, None]','return content, motion')
R("loop","Frame after frame.",'total, motions = 0, []','for frame in features.unbind(dim=1):','    total = total + frame','    motions.append(self.motion(frame))','return self.content(total / len(motions)), torch.stack(motions, dim=-1)')
R("einops","Reduces and rearranges.",'content = self.content(torch.stack(features.unbind(1)).mean(0))','motion = rearrange(self.motion(rearrange(features, "b t f -> (b t) f")), "(b t) d -> b d t", b=features.shape[0])','return content, motion')
# ---------------- negative_elbo
def elbo(pix="share * squares / (2 * pixel_std**2)",con="codes.content.kl()",mot="share * codes.motion.kl()",share="num_frames / target.shape[2]",sq="(restored.float() - target.float()).square().flatten(1).sum(dim=1)"):
    return f'''
def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    share = {share}
    squares = {sq}
    return {{
        "pixels": {pix},
        "content": {con},
        "motion": {mot},
    }}
'''
W=lambda n,d,m,**k: put("negative_elbo","wrong_"+n,d,m,elbo(**k))
W("mean","Takes the mean squared error, as every loss does.","the mean of the squared errors",sq="(restored - target).square().flatten(1).mean(dim=1)")
W("std_not_squared","Divides by the standard deviation.","pixel_std is not squared",pix="share * squares / (2 * pixel_std)")
W("no_two","Forgets the 2.","the 2 of 2 pixel_std",pix="share * squares / pixel_std**2")
W("default_std","Reads the constant at the top instead of the argument.","default is in its place",pix="share * squares / (2 * 0.1**2)")
W("multiplies","Multiplies by the variance.","should be divided",pix="share * squares * pixel_std**2 / 2")
W("absolute","Takes absolute errors.","squared ones are asked for",sq="(restored - target).abs().flatten(1).sum(dim=1)")
W("content_shared","Scales all three costs alike.","it is paid once",con="share * codes.content.kl()")
W("content_every_frame","Pays the content in every frame.","it is paid once",con="num_frames * codes.content.kl()")
W("no_share","Adds up the frames that are there.","multiplied by 9/4",share="1.0")
W("motion_not_shared","Scales the pixels alone.","motion: 4 frames stand for 9",mot="codes.motion.kl()")
W("share_upside_down","Turns the share upside down.","upside down",share="target.shape[2] / num_frames")
W("motion_mean","Takes the mean over the frames for the motion's price.","mean over the frames",mot="codes.motion.kl() / target.shape[2]")
W("times_all","Multiplies by the number of frames and forgets how many were drawn.","",share="num_frames")
W("batch_mean","Averages over the batch, as a loss does.","each clip has its own cost",pix="(share * squares / (2 * pixel_std**2)).mean()",con="codes.content.kl().mean()",mot="share * codes.motion.kl().mean()")
W("elbo_not_negative","Returns the ELBO's terms.","the sign is wrong",pix="-share * squares / (2 * pixel_std**2)",con="-codes.content.kl()",mot="-share * codes.motion.kl()")
W("half","Squares and adds up in half precision.","compute in float32",sq="(restored - target).square().flatten(1).sum(dim=1)")
W("detached","Measures without a gradient.","no gradient",sq="(restored.detach().float() - target.float()).square().flatten(1).sum(dim=1)")
W("exchanged","Exchanges the two prices.","changed places",con="codes.motion.kl()",mot="share * codes.content.kl()")
W("whole_batch","Sums over the batch as well.","added up",sq="(restored.float() - target.float()).square().sum().expand(len(target))")
put("negative_elbo","right_einsum","By einsum, and the share at the end.",None,'''
def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    away = (restored.float() - target.float()) / pixel_std
    costs = {"pixels": 0.5 * torch.einsum("bcthw,bcthw->b", away, away), "motion": codes.motion.kl()}
    costs = {name: cost * num_frames / restored.shape[2] for name, cost in costs.items()}
    return costs | {"content": codes.content.kl()}
''')
put("negative_elbo","right_by_frames","The cost of each frame, then T times its mean; the divergence by torch.distributions.",None,'''
def divergence(dist):
    own, normal = torch.distributions.Normal(dist.mean, dist.std), torch.distributions.Normal(0.0, 1.0)
    return torch.distributions.kl_divergence(own, normal)


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    frames = (restored.double() - target.double()).square().sum(dim=(1, 3, 4)) / 2 / pixel_std**2  # (B, n)
    return {
        "pixels": num_frames * frames.mean(dim=1).float(),
        "content": divergence(codes.content).sum(dim=1),
        "motion": num_frames * divergence(codes.motion).sum(dim=1).mean(dim=1),
    }
''')
# ---------------- swap
def swap(body,deco="@torch.no_grad()\n"): return f"{deco}def swap_motion(model, content_of, motion_of):\n"+"".join("    "+l+"\n" for l in body)
W=lambda n,d,m,*l,deco="@torch.no_grad()\n": put("swap_motion","wrong_"+n,d,m,swap(l,deco))
C='content = model.encode(content_of).content.mode()'; MO='motion = model.encode(motion_of).motion.mode()'; RET='return model.decode(content, motion).sample.clamp(-1, 1)'
W("roles","Takes the content from the second clip.","roles are exchanged",'content = model.encode(motion_of).content.mode()','motion = model.encode(content_of).motion.mode()',RET)
W("nothing_swapped","Encodes one clip and takes both codes from it.","nothing was swapped",'codes = model.encode(content_of)','return model.decode(codes.content.mode(), codes.motion.mode()).sample.clamp(-1, 1)')
W("second_only","Encodes the second clip twice.","both those of motion_of",'content_of = motion_of',C,MO,RET)
W("sample","Draws the codes.","mode()",'content = model.encode(content_of).content.sample()','motion = model.encode(motion_of).motion.sample()',RET)
W("sample_motion","Draws the motion, so that no two results are alike.","mode()",C,'motion = model.encode(motion_of).motion.sample()',RET)
W("not_clamped","Returns what the decoder says.","hold the result in",C,MO,'return model.decode(content, motion).sample')
W("tanh","Squeezes the pixels into [-1, 1].","inside [-1, 1]",C,MO,'return model.decode(content, motion).sample.tanh()')
W("gradient","Forgets no_grad.","carries a gradient",C,MO,RET,deco="")
W("cut","Cuts both clips to the shorter one.","frames",'n = min(content_of.shape[2], motion_of.shape[2])','content_of, motion_of = content_of[:, :, :n], motion_of[:, :, :n]',C,MO,RET)
W("cut_content","Cuts the content's clip to the length of the motion's.","cut off",'content_of = content_of[:, :, : motion_of.shape[2]]',C,MO,RET)
W("order","Hands the codes to the decoder in the wrong order.","content (B, Dc) first",C,MO,'return model.decode(motion, content).sample.clamp(-1, 1)')
W("no_sample","Returns the decoder's output, not its sample.","clips themselves",C,MO,'return model.decode(content, motion)')
W("normalised","Scales by the largest value.","as it is",C,MO,'made = model.decode(content, motion).sample','return made / made.abs().max()')
put("swap_motion","right_with_block","Another way to say no gradient, and the means themselves.",None,'''
def swap_motion(model, content_of, motion_of):
    with torch.no_grad():
        first, second = model.encode(content_of), model.encode(motion_of)
        made = model.decode(content=first.content.mean, motion=second.motion.mean).sample
    return torch.minimum(torch.maximum(made, made.new_tensor(-1.0)), made.new_tensor(1.0))
''')
put("swap_motion","right_one_line","In one line, with detach.",None,'''
def swap_motion(model, content_of, motion_of):
    made = model.decode(model.encode(content_of).content.mode(), model.encode(motion_of).motion.mode()).sample
    return made.detach().clip(min=-1, max=1)
''')
# ---------------- mixture
def mix(*l): return "def mixture_log_prob(mixture, motion):\n"+"".join("    "+x+"\n" for x in l)
W=lambda n,d,m,*l: put("mixture_log_prob","wrong_"+n,d,m,mix(*l))
Z='z = motion.float().transpose(1, 2)[:, :, None]'; LS='log_std, mean = mixture.log_std.float(), mixture.mean.float()'
EA='each = -0.5 * ((z - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)'
SH='shares = mixture.logits.float().log_softmax(dim=-1)'; OUT='return torch.logsumexp(shares + each.sum(dim=-1), dim=-1)'
W("raw_logits","Adds the logits as they are.","log_softmax",Z,LS,EA,'return torch.logsumexp(mixture.logits.float() + each.sum(dim=-1), dim=-1)')
W("softmax","Adds the shares, not their logarithms.","softmax is missing its logarithm",Z,LS,EA,'shares = mixture.logits.float().softmax(dim=-1)',OUT)
W("no_shares","Forgets the shares.","shares π of the components are missing",Z,LS,EA,'return torch.logsumexp(each.sum(dim=-1), dim=-1)')
W("equal_shares","Gives every component the same share.","the same share",Z,LS,EA,'return torch.logsumexp(each.sum(dim=-1), dim=-1) - math.log(each.shape[2])')
W("mixture_a_number","Makes a mixture for each number of the code.","mixture of its own",Z,LS,EA,SH,'return torch.logsumexp(shares[..., None] + each, dim=2).sum(dim=-1)')
W("mean_of_logs","Averages log-densities.","log of the averaged",Z,LS,EA,SH,'return (shares.exp() * each.sum(dim=-1)).sum(dim=-1)')
W("best","Counts the best component only.","only the best component",Z,LS,EA,SH,'return (shares + each.sum(dim=-1)).max(dim=-1).values')
W("no_constant","Leaves the constant out, as it does not change the gradient.","constant",Z,LS,'each = -0.5 * ((z - mean) / log_std.exp()) ** 2 - log_std',SH,OUT)
W("no_log_std","Leaves the normalisation out.","log_std is missing",Z,LS,'each = -0.5 * ((z - mean) / log_std.exp()) ** 2 - 0.5 * math.log(2 * math.pi)',SH,OUT)
W("variance","Takes log_std for the logarithm of the variance.","logarithm of the variance",Z,LS,'each = -0.5 * (z - mean) ** 2 / log_std.exp() - 0.5 * log_std - 0.5 * math.log(2 * math.pi)',SH,OUT)
W("not_exponentiated","Takes log_std for the standard deviation.","",Z,LS,'each = -0.5 * ((z - mean) / log_std) ** 2 - log_std.abs().log() - 0.5 * math.log(2 * math.pi)',SH,OUT)
W("no_half","Forgets the half before the square.","½ before the square",Z,LS,'each = -(((z - mean) / log_std.exp()) ** 2) - log_std - 0.5 * math.log(2 * math.pi)',SH,OUT)
W("underflows","Writes the formula as it stands.","logsumexp",Z,LS,EA,'shares = mixture.logits.float().softmax(dim=-1)','return (shares * each.sum(dim=-1).exp()).sum(dim=-1).log()')
W("probability","Returns the probability.","the logarithm is missing",Z,LS,EA,SH,'return torch.logsumexp(shares + each.sum(dim=-1), dim=-1).exp()')
W("cost","Returns the negative, which is what is minimised.","sign is wrong",Z,LS,EA,SH,'return -torch.logsumexp(shares + each.sum(dim=-1), dim=-1)')
W("over_frames","Takes the softmax over the frames.","over the frames",Z,LS,EA,'shares = mixture.logits.float().log_softmax(dim=1)',OUT)
W("sum_of_frames","Adds up the frames of a clip.","each frame has its own",Z,LS,EA,SH,'return torch.logsumexp(shares + each.sum(dim=-1), dim=-1).sum(dim=1)')
W("half_precision","Computes in the precision that it is given.","float32",'z = motion.transpose(1, 2)[:, :, None]','each = -0.5 * ((z - mixture.mean) / mixture.log_std.exp()) ** 2 - mixture.log_std - 0.5 * math.log(2 * math.pi)','return torch.logsumexp(mixture.logits.log_softmax(dim=-1) + each.sum(dim=-1), dim=-1)')
put("mixture_log_prob","right_distributions","By torch.distributions.",None,mix('normal = torch.distributions.Normal(mixture.mean.float(), mixture.log_std.float().exp())','code = torch.distributions.Independent(normal, 1)','share = torch.distributions.Categorical(logits=mixture.logits.float())','return torch.distributions.MixtureSameFamily(share, code).log_prob(rearrange(motion.float(), "b d t -> b t d"))'))
put("mixture_log_prob","right_loop","Component after component, the largest taken out by hand.",None,mix('z, parts = motion.float().transpose(1, 2), []','logits = mixture.logits.float()','for k in range(logits.shape[2]):','    mean, log_std = mixture.mean[:, :, k].float(), mixture.log_std[:, :, k].float()','    log_density = -((z - mean) ** 2 * torch.exp(-2 * log_std) + 2 * log_std + math.log(2 * math.pi)).sum(-1) / 2','    parts.append(log_density + logits[:, :, k])','parts = torch.stack(parts)','largest = parts.max(dim=0).values','return largest + (parts - largest).exp().sum(dim=0).log() - logits.logsumexp(dim=-1)'))
# ---------------- prior
P='''
class MotionPrior(nn.Module):
    def __init__(self, motion_dim: int, hidden_size: int = 64, num_components: int = 8):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(motion_dim))
        self.rnn = nn.GRU(motion_dim, hidden_size, batch_first=True)
        self.mixture = nn.Linear(hidden_size, num_components * (1 + 2 * motion_dim))
        self.num_components = num_components

    def forward(self, motion):
@F
    def read_out(self, states, before):
        out = rearrange(self.mixture(states), "b t (k n) -> b t k n", k=self.num_components)
        logits, step, log_std = out.split([1, before.shape[-1], before.shape[-1]], dim=-1)
        return Mixture(logits.squeeze(-1), before[:, :, None] + step, log_std.clamp(-5.0, 2.0))

@D
    def sample(self, num_clips, num_frames, generator=None):
@S
'''
FW=['z = motion.transpose(1, 2)','before = torch.cat([self.start.expand(len(z), 1, -1), z[:, :-1]], dim=1)','states, _ = self.rnn(before)','return self.read_out(states, before)']
SA=['code, state, codes = self.start.expand(num_clips, 1, -1), None, []','for _ in range(num_frames):','    out, state = self.rnn(code, state)','    code = self.read_out(out, code).sample(generator).transpose(1, 2)','    codes.append(code)','return torch.cat(codes, dim=1).transpose(1, 2)']
def prior(f=FW,s=SA,d="    @torch.no_grad()"):
    ind=lambda ls:"".join("        "+l+"\n" for l in ls)
    return P.replace("@F\n",ind(f)+"\n").replace("@S\n",ind(s)).replace("@D",d)
W=lambda n,d,m,f=FW,s=SA,deco="    @torch.no_grad()": put("MotionPrior","wrong_"+n,d,m,prior(f,s,deco))
def rep(ls,a,b): 
    assert any(a in l for l in ls),a
    return [l.replace(a,b) for l in ls]
W("no_shift","Gives the network the frame that it should foretell.","shown what it should foretell",f=['z = motion.transpose(1, 2)','states, _ = self.rnn(z)','return self.read_out(states, z)'])
W("roll","Shifts with roll, so that the last frame comes first.","earlier frames",f=['z = motion.transpose(1, 2)','before = z.roll(1, dims=1)','states, _ = self.rnn(before)','return self.read_out(states, before)'])
W("zeros","Puts zeros in front, as one pads.","should meet self.start",f=rep(FW,'self.start.expand(len(z), 1, -1)','torch.zeros_like(z[:, :1])'))
W("means_of_codes","Reads the steps as steps from the frame itself.","steps away from the code *before*",f=rep(FW,'self.read_out(states, before)','self.read_out(states, z)'))
W("shift_two","Leaves out one frame too many.","",f=['z = motion.transpose(1, 2)','start = self.start.expand(len(z), 1, -1)','before = torch.cat([start, start, z[:, :-2]], dim=1)[:, : z.shape[1]]','states, _ = self.rnn(before)','return self.read_out(states, before)'])
W("backwards","Reads the clip from its end.","",f=['z = motion.transpose(1, 2).flip(1)','before = torch.cat([self.start.expand(len(z), 1, -1), z[:, :-1]], dim=1)','states, _ = self.rnn(before)','return self.read_out(states.flip(1), before.flip(1))'])
W("no_memory","Runs the network on every frame by itself.","the state remembers",f=['z = motion.transpose(1, 2)','before = torch.cat([self.start.expand(len(z), 1, -1), z[:, :-1]], dim=1)','states = torch.cat([self.rnn(frame)[0] for frame in before.split(1, dim=1)], dim=1)','return self.read_out(states, before)'])
W("too_long","Keeps the last frame, so that there is one mixture more.","a mixture for each of T frames",f=rep(FW,'z[:, :-1]','z'))
W("reshape","Makes the axes right by reshape.","",f=rep(FW,'motion.transpose(1, 2)','motion.reshape(motion.shape[0], motion.shape[2], motion.shape[1])'))
W("state_anew","Forgets the state between frames of a sample.","begins anew",s=rep(SA,'out, state = self.rnn(code, state)','out, _ = self.rnn(code)'))
W("not_fed_back","Always gives the start to the network.","feed back the code",s=['start, state, codes = self.start.expand(num_clips, 1, -1), None, []','for _ in range(num_frames):','    out, state = self.rnn(start, state)','    codes.append(self.read_out(out, start).sample(generator))','return torch.cat(codes, dim=2)'])
W("mean","Feeds back and returns the mean of the likeliest component.","same motion",s=['code, state, codes = self.start.expand(num_clips, 1, -1), None, []','for _ in range(num_frames):','    out, state = self.rnn(code, state)','    mixture = self.read_out(out, code)','    best = mixture.logits.argmax(dim=-1)[..., None, None].expand(-1, -1, 1, mixture.mean.shape[-1])','    code = mixture.mean.gather(2, best).squeeze(2)','    codes.append(code)','return torch.cat(codes, dim=1).transpose(1, 2)'])
W("no_generator","Draws from torch's own generator.","hand generator on",s=rep(SA,'.sample(generator)','.sample()'))
W("one_for_all","Draws one motion and repeats it.","same motion",s=rep(rep(SA,'self.start.expand(num_clips, 1, -1)','self.start.expand(1, 1, -1)'),'return torch.cat(codes, dim=1).transpose(1, 2)','return torch.cat(codes, dim=1).transpose(1, 2).repeat(num_clips, 1, 1)'))
W("frames_in_the_middle","Leaves the frames in the middle.","frames come last",s=rep(SA,'return torch.cat(codes, dim=1).transpose(1, 2)','return torch.cat(codes, dim=1)'))
W("begins_with_start","Counts the start as the first frame.","",s=['code, state, codes = self.start.expand(num_clips, 1, -1), None, [self.start.expand(num_clips, 1, -1)]','for _ in range(num_frames - 1):','    out, state = self.rnn(code, state)','    code = self.read_out(out, code).sample(generator).transpose(1, 2)','    codes.append(code)','return torch.cat(codes, dim=1).transpose(1, 2)'])
W("adds_up","Adds the drawn code to the one before: the means are steps, after all.","feed back the code",s=rep(SA,'code = self.read_out(out, code).sample(generator).transpose(1, 2)','code = code + self.read_out(out, code).sample(generator).transpose(1, 2)'))
W("gradient","Forgets no_grad.","carry a gradient",deco="")
put("MotionPrior","right_step_by_step","In forward too, frame after frame.",None,prior(f=['code, state, parts = self.start.expand(len(motion), 1, -1), None, []','for t in range(motion.shape[2]):','    out, state = self.rnn(code, state)','    parts.append(self.read_out(out, code))','    code = motion[:, :, t][:, None]','return Mixture(*(torch.cat([getattr(part, name) for part in parts], 1) for name in ("logits", "mean", "log_std")))']))
put("MotionPrior","right_padded","Shifts by an index, and fills a tensor in place.",None,prior(f=['clips, dim, num_frames = motion.shape','padded = torch.cat([self.start[None, :, None].repeat(clips, 1, 1), motion], dim=2)','before = rearrange(padded[:, :, :num_frames], "b d t -> b t d")','return self.read_out(self.rnn(before)[0], before)'],s=['codes = torch.zeros(num_clips, len(self.start), num_frames)','last, memory = self.start.repeat(num_clips, 1)[:, None], torch.zeros(1, num_clips, self.rnn.hidden_size)','for t in range(num_frames):','    hidden, memory = self.rnn(last, memory)','    codes[:, :, t] = self.read_out(hidden, last).sample(generator)[:, :, 0]','    last = codes[:, :, t][:, None]','return codes']))
