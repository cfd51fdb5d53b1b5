from pathlib import Path
import textwrap
ROOT=Path("/work/wt/023/tests/labs/02_early_models/answers/03_tiny_video_gan")
def put(ex,name,doc,messages,code):
    p=ROOT/ex/f"{name}.py"; p.parent.mkdir(parents=True,exist_ok=True)
    m="".join(f"\nMessage: {x}" for x in messages)
    p.write_text(f'"""{doc}\n{m}\n"""\n\n\n' .replace('\n\n"""','\n"""') + textwrap.dedent(code).strip("\n")+"\n" if m else f'"""{doc}"""\n\n\n'+textwrap.dedent(code).strip("\n")+"\n")

# ------------------------------------------------------------------ mode_report
H="def mode_report(samples, data):\n"
CHECK='''    if not samples or not data:
        raise ValueError(f"nothing to compare: {len(samples)} samples, {len(data)} clips of the data")
    if None in data:
        raise ValueError(f"{data.count(None)} clips of the data could not be read")
'''
def mr(body,check=CHECK): return H+check+textwrap.indent(textwrap.dedent(body).strip("\n"),"    ")
put("mode_report","right_loops","Plain loops and dictionaries.",[],mr('''
n, d = {}, {}
for mode in data:
    d[mode] = d.get(mode, 0) + 1
    n[mode] = 0
for mode in samples:
    if mode is not None and mode in n:
        n[mode] += 1
total = sum(n.values())
covered, entropy, recalled = 0, 0.0, 0.0
for mode in d:
    if n[mode]:
        covered += 1
        p = n[mode] / total
        entropy -= p * math.log(p)
    recalled += min(n[mode] * len(data) / len(samples), d[mode])
return ModeReport(total / len(samples), covered / len(d), entropy, recalled / len(data))
'''))
put("mode_report","right_overlap","Recall as the overlap of two histograms; entropy as log n minus a mean of logs.",[],mr('''
modes = list(dict.fromkeys(data))
counts = [sum(s == m for s in samples) for m in modes]
known = sum(counts)
if known == 0:
    return ModeReport(known=0.0, coverage=0.0, entropy=0.0, recall=0.0)
entropy = math.log(known) - sum(n * math.log(n) for n in counts if n) / known
overlap = sum(min(n / len(samples), data.count(m) / len(data)) for n, m in zip(counts, modes))
coverage = len([n for n in counts if n > 0]) / len(modes)
return ModeReport(known=known / len(samples), coverage=coverage, entropy=entropy, recall=overlap)
'''))
GOOD='''
wanted = Counter(data)
found = Counter(mode for mode in samples if mode in wanted)
num_known, scale = found.total(), len(data) / len(samples)
return ModeReport(
    known=num_known / len(samples),
    coverage=len(found) / len(wanted),
    entropy=sum(-n / num_known * math.log(n / num_known) for n in found.values()),
    recall=sum(min(n * scale, wanted[mode]) for mode, n in found.items()) / len(data),
)
'''
def variant(name,doc,msgs,*pairs,check=CHECK):
    g=GOOD
    for a,b in pairs:
        assert a in g,(name,a); g=g.replace(a,b)
    put("mode_report",name,doc,msgs,mr(g,check))
variant("wrong_counts_foreign_modes","Counts every mode that could be read, also those that the data does not have.",["modes that the data does not have"],("if mode in wanted","if mode is not None"),("known=num_known","known=sum(mode in wanted for mode in samples)"))
variant("wrong_known_is_read","Takes a sample for known as soon as it could be read.",["the part of the samples that could be read"],("known=num_known","known=sum(mode is not None for mode in samples)"))
variant("wrong_known_of_read","Leaves unread samples out of the denominator.",["what could not be read counts against the model"],("known=num_known / len(samples)","known=num_known / max(1, sum(mode is not None for mode in samples))"))
variant("wrong_coverage_count","Gives the number of modes, not the part.",["a part of the data's modes is asked for"],("coverage=len(found) / len(wanted)","coverage=len(found)"))
variant("wrong_coverage_of_samples","Divides by the modes of the samples.",["coverage was divided by the samples' modes"],("len(found) / len(wanted)","len(found) / max(1, len(set(samples) - {None}))"))
variant("wrong_bits","Entropy in bits.",["natural one"],("math.log(n","math.log2(n"))
variant("wrong_sign","Forgets the minus of the entropy.",["MINUS"],("sum(-n","sum(n"))
variant("wrong_normalized","Divides the entropy by its largest value.",["divided by its largest value"],("found.values()),","found.values()) / max(1e-9, math.log(len(wanted))),"))
variant("wrong_p_of_all_samples","p is the part of all samples, so that the p do not sum to 1.",["KNOWN samples"],("-n / num_known * math.log(n / num_known)","-n / len(samples) * math.log(n / len(samples))"))
variant("wrong_recall_of_modes","Takes recall for the part of the modes that were found.",["Recall is the part of the clips"],("sum(min(n * scale, wanted[mode]) for mode, n in found.items()) / len(data)","len(found) / len(wanted)"))
variant("wrong_recall_unscaled","Compares counts as they are, whatever the numbers of samples and clips.",["Scale them"],("min(n * scale, wanted[mode])","min(n, wanted[mode])"))
variant("wrong_recall_of_known","Scales by the known samples, so that unread ones cost nothing.",["an unread clip recalls nothing"],("len(data) / len(samples)","len(data) / max(1, num_known)"),("num_known, scale = found.total(), ","num_known = found.total()\nscale = "))
variant("wrong_recall_hits","Counts every data clip whose mode was found at least once.",["recall is 0.9"] if 0 else ["recall"],("min(n * scale, wanted[mode])","wanted[mode]"))
variant("wrong_divides_by_zero","A generator that makes nothing known brings a division by zero.",["ZeroDivisionError"],("sum(-n / num_known * math.log(n / num_known) for n in found.values())","-sum(found[m] / num_known * math.log(found[m] / num_known + 1e-12) for m in wanted)"))
variant("wrong_no_checks","Takes whatever it is given.",["ValueError"],check="")
variant("wrong_unread_data","Lets unread clips of the data count as a mode.",["2 unread clips in the data"],check='''    if not samples or not data:
        raise ValueError(f"nothing to compare: {len(samples)} samples, {len(data)} clips of the data")
''')

# ------------------------------------------------------------------ discriminator_hinge_loss
H2="def discriminator_hinge_loss(real_scores, fake_scores):\n"
C2='''    for name, scores in (("real_scores", real_scores), ("fake_scores", fake_scores)):
        if scores.numel() == 0:
            raise ValueError(f"{name} has no numbers: its shape is {tuple(scores.shape)}")
'''
CAST='''    real_scores, fake_scores = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
'''
def hl(ret,check=C2,cast=CAST): return H2+check+cast+textwrap.indent(textwrap.dedent(ret).strip("\n"),"    ")
X="discriminator_hinge_loss"
put(X,"right_clamp","clamp instead of relu, sums divided by counts.",[],hl('''
real = (1 - real_scores).clamp(min=0).sum() / real_scores.numel()
fake = (1 + fake_scores).clamp(min=0).sum() / fake_scores.numel()
return real + fake
'''))
put(X,"right_hinge_embedding","torch's hinge embedding loss, once for each kind.",[],hl('''
real = F.hinge_embedding_loss(real_scores, torch.full_like(real_scores, -1))
return real + F.hinge_embedding_loss(-fake_scores, torch.full_like(fake_scores, -1))
'''))
put(X,"right_maximum","torch.where, and float() where half precision comes in.",[],'''
def discriminator_hinge_loss(real_scores, fake_scores):
    total = 0
    for scores, sign in ((real_scores, 1), (fake_scores, -1)):
        if not scores.numel():
            raise ValueError(f"no scores: {tuple(scores.shape)}")
        scores = scores if scores.dtype == torch.float64 else scores.float()
        short = 1 - sign * scores
        total = total + torch.where(short > 0, short, torch.zeros_like(short)).mean()
    return total
''')
for name,doc,msg,ret in [
 ("wrong_exchanged","Thinks of fakes as the ones that should score high.",["exchanged"],"return F.relu(1 + real_scores).mean() + F.relu(1 - fake_scores).mean()"),
 ("wrong_no_hinge","Leaves the hinge out: the loss of a Wasserstein critic with a margin.",["no hinge"],"return (1 - real_scores).mean() + (1 + fake_scores).mean()"),
 ("wrong_wasserstein","Plain means, as a Wasserstein critic has them.",["plain means"],"return fake_scores.mean() - real_scores.mean()"),
 ("wrong_no_margin","Takes 0 for the margin.",["margin is missing"],"return F.relu(-real_scores).mean() + F.relu(fake_scores).mean()"),
 ("wrong_half","Averages the two means.",["halved"],"return 0.5 * (F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean())"),
 ("wrong_logistic","The logistic loss of the first GANs.",["logistic"],"return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()"),
 ("wrong_squared","Squares the distance to the margin.",["squared"],"return F.relu(1 - real_scores).square().mean() + F.relu(1 + fake_scores).square().mean()"),
 ("wrong_sums","Sums instead of means.",["means are asked for"],"return F.relu(1 - real_scores).sum() + F.relu(1 + fake_scores).sum()"),
 ("wrong_one_mean","One mean over all scores together.",["a mean of its own"],"return torch.cat([F.relu(1 - real_scores).flatten(), F.relu(1 + fake_scores).flatten()]).mean()"),
 ("wrong_mean_first","Takes the mean before the hinge.",["before the hinge"],"return F.relu(1 - real_scores.mean()) + F.relu(1 + fake_scores.mean())"),
 ("wrong_real_only","Forgets the fake ones.",["fake scores are missing"],"return F.relu(1 - real_scores).mean()"),
 ("wrong_detached","Takes the number out of the graph.",["no gradient"],"return torch.tensor(float(F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()), dtype=real_scores.dtype)"),
 ("wrong_leaky","A leaky hinge, which still pulls beyond the margin.",["scores"],"return F.leaky_relu(1 - real_scores, 0.01).mean() + F.leaky_relu(1 + fake_scores, 0.01).mean()"),
]: put(X,name,doc,msg,hl(ret))
put(X,"wrong_half_precision","Computes in whatever precision it gets.",["should be torch.float32"],hl("return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()",cast=""))
put(X,"wrong_always_float32","Casts everything to float32, float64 too.",["should be torch.float64"],hl("return F.relu(1 - real_scores.float()).mean() + F.relu(1 + fake_scores.float()).mean()",cast=""))
put(X,"wrong_nan_for_nothing","A mean over nothing is NaN.",["ValueError"],hl("return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()",check=""))

# ------------------------------------------------------------------ VideoDiscriminator
X="VideoDiscriminator"
CLS='''
class VideoDiscriminator(nn.Module):
    def __init__(self, in_channels: int, channels: int, normalized: bool = True):
        super().__init__()
        norm = spectral_norm if normalized else nn.Identity()
        self.first = norm(nn.Conv3d(in_channels, channels, (3, 4, 4), stride=(1, 2, 2), padding=1))
        self.second = norm(nn.Conv3d(channels, 2 * channels, 3, stride=2, padding=1))
        self.third = norm(nn.Conv3d(2 * channels, 2 * channels, 3, padding=1))
        self.score = norm(nn.Linear(2 * channels, 1))

    def forward(self, clips):
'''
def vd(body): return CLS.strip("\n")+"\n"+textwrap.indent(textwrap.dedent(body).strip("\n"),"        ")
GOODV='''
x = F.avg_pool3d(clips, (1, 2, 2))
x = F.leaky_relu(self.first(x), SLOPE)
x = F.leaky_relu(self.second(x), SLOPE)
x = F.leaky_relu(self.third(x), SLOPE)
return self.score(x.sum(dim=(2, 3, 4)))[:, 0]
'''
put(X,"right_einops_like","Halves by reshaping; a loop over the layers; the sum as a flattened one.",[],vd('''
b, c, t, h, w = clips.shape
x = clips.reshape(b, c, t, h // 2, 2, w // 2, 2).mean(dim=(4, 6))
for layer in (self.first, self.second, self.third):
    x = layer(x)
    x = torch.maximum(x, SLOPE * x)
return self.score(x.flatten(2).sum(dim=2)).squeeze(1)
'''))
put(X,"right_interpolate","Halves with interpolate's area mode, sums one axis after the other.",[],vd('''
x = F.interpolate(clips, size=(clips.shape[2], clips.shape[3] // 2, clips.shape[4] // 2), mode="area")
for layer in (self.first, self.second, self.third):
    x = F.leaky_relu(layer(x), negative_slope=SLOPE)
return self.score(x.sum(4).sum(3).sum(2)).flatten()
'''))
for name,doc,msg,*pairs in [
 ("wrong_full_size","Forgets to halve the pictures.",["not halved"],("x = F.avg_pool3d(clips, (1, 2, 2))","x = clips")),
 ("wrong_halves_time","Halves time as well.",["time was halved too"],("(1, 2, 2)","2")),
 ("wrong_every_second_pixel","Takes every second pixel.",["every second pixel"],("F.avg_pool3d(clips, (1, 2, 2))","clips[..., ::2, ::2]")),
 ("wrong_max_pool","Takes the largest of four pixels.",["largest of 2x2"],("avg_pool3d","max_pool3d")),
 ("wrong_relu","A plain ReLU.",["plain ReLU"],("F.leaky_relu(self.first(x), SLOPE)","F.relu(self.first(x))"),("F.leaky_relu(self.second(x), SLOPE)","F.relu(self.second(x))"),("F.leaky_relu(self.third(x), SLOPE)","F.relu(self.third(x))")),
 ("wrong_slope","leaky_relu with its own slope.",["own slope is 0.01"],(", SLOPE","")),
 ("wrong_linear","No activation anywhere.",["no activation between"],("F.leaky_relu(self.first(x), SLOPE)","self.first(x)"),("F.leaky_relu(self.second(x), SLOPE)","self.second(x)"),("F.leaky_relu(self.third(x), SLOPE)","self.third(x)")),
 ("wrong_last_not_activated","No activation after the third convolution.",["third convolution has no activation"],("F.leaky_relu(self.third(x), SLOPE)","self.third(x)")),
 ("wrong_means","Averages where a sum is asked for.",["were averaged"],("x.sum(dim","x.mean(dim")),
 ("wrong_largest","Takes the largest answer of all places.",["largest value"],("x.sum(dim=(2, 3, 4))","x.amax(dim=(2, 3, 4))")),
 ("wrong_last_frame","Lets the last frame alone decide.",["last frame"],("x.sum(dim=(2, 3, 4))","x[:, :, -1].sum(dim=(2, 3))")),
 ("wrong_sigmoid","Squashes the score to a probability.",["sigmoid"],("return self.score(x.sum(dim=(2, 3, 4)))[:, 0]","return torch.sigmoid(self.score(x.sum(dim=(2, 3, 4)))[:, 0])")),
 ("wrong_averages_time_first","Averages the frames before it looks at them.",["backwards"],("x = F.avg_pool3d(clips, (1, 2, 2))","x = F.avg_pool3d(clips, (1, 2, 2))\nx = x.mean(dim=2, keepdim=True).expand_as(x)")),
 ("wrong_column","Leaves the last axis there.",["one score a clip"],("[:, 0]","")),
 ("wrong_one_score","One score for the whole batch.",["one score a clip"],("[:, 0]",".mean()")),
 ("wrong_mixes_the_batch","Centres the features over the batch.",["samples were mixed"],("return self","x = x - x.mean(dim=0, keepdim=True) * (len(x) > 1)\nreturn self")),
 ("wrong_detached","Looks at the clips without a gradient to them.",["no gradient reaches the clip"],("F.avg_pool3d(clips,","F.avg_pool3d(clips.detach(),")),
]:
    g=GOODV
    for a,b in pairs:
        assert a in g,(name,a); g=g.replace(a,b)
    put(X,name,doc,msg,vd(g))

# ------------------------------------------------------------------ gradient_penalty
X="gradient_penalty"
H3="def gradient_penalty(discriminator, real):\n"
C3='''    if len(real) == 0:
        raise ValueError(f"there is no sample to take a gradient at: real is {tuple(real.shape)}")
'''
GOODG='''
real = real.detach().requires_grad_(True)
(slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
return slope.float().square().flatten(1).sum(dim=1).mean()
'''
def gp(b,check=C3): return H3+check+textwrap.indent(textwrap.dedent(b).strip("\n"),"    ")
put(X,"right_grad_outputs","grad_outputs of ones instead of a sum; the squared norm.",[],gp('''
leaf = real.detach().clone().requires_grad_()
scores = discriminator(leaf)
slope = torch.autograd.grad(scores, leaf, grad_outputs=torch.ones_like(scores), create_graph=True)[0]
return slope.reshape(len(slope), -1).pow(2).sum(1).mean()
'''))
put(X,"right_total_over_batch","All squares summed, divided by the number of samples.",[],gp('''
leaf = torch.empty_like(real).copy_(real.detach())
leaf.requires_grad = True
with torch.enable_grad():
    total = discriminator(leaf).sum()
slope = torch.autograd.grad([total], [leaf], create_graph=True)[0]
return (slope * slope).sum() / len(real)
'''))
for name,doc,msg,*pairs in [
 ("wrong_not_squared","The length, not its square.",["not squared"],(".square().flatten(1).sum(dim=1).mean()",".flatten(1).norm(dim=1).mean()")),
 ("wrong_sums_samples","Sums over the samples.",["samples were summed"],(".sum(dim=1).mean()",".sum()")),
 ("wrong_mean_score","Differentiates the mean score.",["MEAN score"],("discriminator(real).sum()","discriminator(real).mean()")),
 ("wrong_mean_over_pixels","Averages the squares over the pixels.",["averaged over the pixels"],(".flatten(1).sum(dim=1).mean()",".mean()")),
 ("wrong_wants_slope_one","The penalty of WGAN-GP, which wants slopes of length 1.",["WGAN-GP"],(".square().flatten(1).sum(dim=1).mean()",".flatten(1).norm(dim=1).sub(1).square().mean()")),
 ("wrong_half","Takes the half of the loss into the penalty.",["belongs to the loss"],(".mean()",".mean() / 2")),
 ("wrong_absolute","Absolute values instead of squares.",["absolute values"],(".square()",".abs()")),
 ("wrong_mean_slope","Averages the slopes over the batch first.",["before squaring"],("slope.float().square().flatten(1).sum(dim=1).mean()","slope.float().mean(dim=0).square().sum()")),
 ("wrong_square_of_mean","Squares the mean of the lengths.",["mean of the lengths was squared"],("slope.float().square().flatten(1).sum(dim=1).mean()","slope.float().flatten(1).norm(dim=1).mean() ** 2")),
 ("wrong_at_noise","Takes the slope at noise, not at the data.",["slope was taken"] if 0 else ["penalty"],("real.detach()","torch.randn_like(real)")),
 ("wrong_at_zero","Takes the slope at zero.",["slope was taken at 0"],("real.detach()","torch.zeros_like(real)")),
 ("wrong_first_score","Looks at the first score of several.",["first of two scores"],("discriminator(real).sum()","discriminator(real).reshape(len(real), -1)[:, 0].sum()")),
 ("wrong_no_create_graph","Forgets create_graph.",["create_graph=True"],(", create_graph=True","")),
 ("wrong_in_place","Makes the given samples require a gradient.",["now require a gradient"],("real = real.detach().requires_grad_(True)","real.requires_grad_(True)")),
 ("wrong_backward","Calls backward(), which writes gradients into the discriminator's weights.",["gradient was left in the discriminator"],("(slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)","discriminator(real).sum().backward(create_graph=True)\nslope = real.grad")),
]:
    g=GOODG
    for a,b in pairs:
        assert a in g,(name,a); g=g.replace(a,b)
    put(X,name,doc,msg,gp(g))
put(X,"wrong_no_check","Takes a batch without samples.",["ValueError"],gp(GOODG,""))

# ------------------------------------------------------------------ adversarial_step
X="adversarial_step"
H4="def adversarial_step(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):\n"
C4='''    if len(latents) < 2:
        raise ValueError(f"latents are (1 + M, B, D); got {len(latents)}")
    generator_optimizer, discriminator_optimizer = optimizers
'''
GOODS='''
with torch.no_grad():
    fake = generator(latents[0])
loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
penalty = gradient_penalty(discriminator, real) if penalty_weight else torch.zeros_like(loss)
loss = loss + penalty_weight / 2 * penalty
discriminator_optimizer.zero_grad()
loss.backward()
discriminator_optimizer.step()
for z in latents[1:]:
    generator_loss = generator_hinge_loss(discriminator(generator(z)))
    generator_optimizer.zero_grad()
    generator_loss.backward()
    generator_optimizer.step()
return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}
'''
def st(b,check=C4): return H4+check+textwrap.indent(textwrap.dedent(b).strip("\n"),"    ")
put(X,"right_detach","detach() instead of no_grad, and all gradients zeroed before every backward().",[],st('''
fake = generator(latents[0]).detach()
loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
penalty = torch.tensor(0.0)
if penalty_weight > 0:
    penalty = gradient_penalty(discriminator, real)
    loss = loss + 0.5 * penalty_weight * penalty
for optimizer in optimizers:
    optimizer.zero_grad()
loss.backward()
discriminator_optimizer.step()
for k in range(1, len(latents)):
    made = -discriminator(generator(latents[k])).mean()
    for optimizer in optimizers:
        optimizer.zero_grad()
    made.backward()
    generator_optimizer.step()
for optimizer in optimizers:
    optimizer.zero_grad()
return {"penalty": penalty.detach(), "generator": made.detach(), "discriminator": loss.detach()}
'''))
put(X,"right_backward_inputs","backward(inputs=…) writes into one player's weights alone.",[],st('''
makes, judges = ([p for group in o.param_groups for p in group["params"]] for o in optimizers)
loss = discriminator_hinge_loss(discriminator(real), discriminator(generator(latents[0])))
penalty = gradient_penalty(discriminator, real) if penalty_weight else loss.new_zeros(())
loss = loss + penalty * penalty_weight / 2
discriminator_optimizer.zero_grad()
loss.backward(inputs=judges)
discriminator_optimizer.step()
for z in latents[1:]:
    generator_optimizer.zero_grad()
    generator_loss = generator_hinge_loss(discriminator(generator(z)))
    generator_loss.backward(inputs=makes)
    generator_optimizer.step()
return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}
'''))
for name,doc,msg,*pairs in [
 ("wrong_sign","The generator minimises its scores.",["wants HIGH scores"],("generator_hinge_loss(discriminator(generator(z)))","discriminator(generator(z)).mean()")),
 ("wrong_same_latents","The generator moves with the discriminator's latents.",["latents[0], the discriminator's"],("discriminator(generator(z))","discriminator(generator(latents[0]))")),
 ("wrong_no_zero_discriminator","Never empties the discriminator's gradients.",["gradients that were left in it"],("discriminator_optimizer.zero_grad()\n","")),
 ("wrong_zero_too_early","Empties the discriminator's gradients after its move, where the generator's fill them again.",["the generator's"],("discriminator_optimizer.zero_grad()\nloss.backward()\ndiscriminator_optimizer.step()","loss.backward()\ndiscriminator_optimizer.step()\ndiscriminator_optimizer.zero_grad()")),
 ("wrong_no_zero_generator","Never empties the generator's gradients.",["gradients of its earlier moves"],("    generator_optimizer.zero_grad()\n","")),
 ("wrong_not_detached","The discriminator's loss reaches through the fakes, and the generator's zero_grad comes too early.",["moved the generator too"],("with torch.no_grad():\n    fake = generator(latents[0])","generator_optimizer.zero_grad()\nfake = generator(latents[0])"),("    generator_optimizer.zero_grad()\n    generator_loss","    generator_loss")),
 ("wrong_both_at_once","Both optimisers step after the discriminator's loss.",["moved the generator too"],("with torch.no_grad():\n    fake = generator(latents[0])","generator_optimizer.zero_grad()\nfake = generator(latents[0])"),("discriminator_optimizer.step()","discriminator_optimizer.step()\ngenerator_optimizer.step()")),
 ("wrong_moves_once","Moves the generator once, however many latents there are.",["every latents[1:] is a move"],("in latents[1:]","in latents[1:2]")),
 ("wrong_pools_moves","Puts all latents into one move of the generator.",["went into one move"],("for z in latents[1:]:","for z in [latents[1:].flatten(0, 1)]:")),
 ("wrong_accumulates_moves","One step of the optimiser for the sum over all moves.",["each is a whole move"],("for z in latents[1:]:\n","generator_optimizer.zero_grad()\nfor z in latents[1:]:\n"),("    generator_optimizer.zero_grad()\n    generator_loss.backward()\n    generator_optimizer.step()\n","    generator_loss.backward()\ngenerator_optimizer.step()\n")),
 ("wrong_exchanged_optimizers","Takes the optimisers in the other order.",["did not move"] if 0 else [],("discriminator_optimizer.","tmp."),("generator_optimizer.","discriminator_optimizer."),("tmp.","generator_optimizer.")),
 ("wrong_no_generator_step","Computes the generator's gradients and forgets to step.",["the generator did not move"],("    generator_optimizer.step()\n","")),
 ("wrong_full_penalty","Takes the whole penalty, not half of it.",["penalty_weight / 2"],("penalty_weight / 2 * penalty","penalty_weight * penalty")),
 ("wrong_no_penalty","Computes the penalty for the log and leaves it out of the loss.",["the penalty is not used"],("loss = loss + penalty_weight / 2 * penalty\n","")),
 ("wrong_keeps_graph","Returns the losses with their graphs.",["holds its graph"],('"discriminator": loss.detach(), "generator": generator_loss.detach()','"discriminator": loss, "generator": generator_loss')),
 ("wrong_returns_tuple","Returns the losses without names.",["dictionary is asked for"],('return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}','return loss.detach(), generator_loss.detach(), penalty.detach()')),
]:
    g=GOODS
    for a,b in pairs:
        assert a in g,(name,a); g=g.replace(a,b)
    put(X,name,doc,msg,st(g))
put(X,"wrong_generator_first","The generator moves before the discriminator.",["generator moved first"],st('''
for z in latents[1:]:
    generator_loss = generator_hinge_loss(discriminator(generator(z)))
    generator_optimizer.zero_grad()
    generator_loss.backward()
    generator_optimizer.step()
with torch.no_grad():
    fake = generator(latents[0])
loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
penalty = gradient_penalty(discriminator, real) if penalty_weight else torch.zeros_like(loss)
loss = loss + penalty_weight / 2 * penalty
discriminator_optimizer.zero_grad()
loss.backward()
discriminator_optimizer.step()
return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}
'''))
put(X,"wrong_stale_judgement","Takes the generator's gradient before the discriminator moves, and steps after.",["as it was before its move"],st('''
with torch.no_grad():
    fake = generator(latents[0])
generator_optimizer.zero_grad()
generator_loss = generator_hinge_loss(discriminator(generator(latents[1])))
generator_loss.backward()
loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
penalty = gradient_penalty(discriminator, real) if penalty_weight else torch.zeros_like(loss)
loss = loss + penalty_weight / 2 * penalty
discriminator_optimizer.zero_grad()
loss.backward()
discriminator_optimizer.step()
generator_optimizer.step()
for z in latents[2:]:
    generator_loss = generator_hinge_loss(discriminator(generator(z)))
    generator_optimizer.zero_grad()
    generator_loss.backward()
    generator_optimizer.step()
return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}
'''))
put(X,"wrong_no_check","Lets latents for one player alone through.",["ValueError"],st(GOODS.replace("for z in latents[1:]","generator_loss = loss\nfor z in latents[1:]"),check="    generator_optimizer, discriminator_optimizer = optimizers\n"))
