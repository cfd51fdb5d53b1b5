"""python finalize.py NAME RUNFOLDER: weights of a finished training into the zoo of this checkout, with a card to be measured."""
import json, shutil, subprocess, sys
from pathlib import Path
from common.zoo import shelf
from common.zoo.card import Card, write_card, file_facts
name, run = sys.argv[1], Path(sys.argv[2])
place = shelf.folder(name)
for f in ("config.json", shelf.WEIGHTS): shutil.copy(run/"weights"/f, place/f)
last=[json.loads(l) for l in (run/"log.jsonl").read_text().splitlines()][-1]
what={"sprites-gan":"a GAN for clips of 40 kinds of moving sprite, 6 frames of 20x20, with its two discriminators",
      "sprites-gan-frames":"negative control of sprites-gan: no discriminator for motion"}[name]
fails={"sprites-gan":["It makes 6 frames of 20x20 of one object over black, and nothing else: no text, no second object, no other length.",
   "Nothing can be asked for: which of the 40 kinds comes out is up to the latent.",
   "Edges are softer than the world's: `made/known` says how often the reader cannot name a clip at all."],
 "sprites-gan-frames":["By design nothing joins its frames: objects jump, and change colour and shape on the way. See `made/straightness`."]}[name]
card=Card(name,what,made={
 "data":"ModeData, split train: one large object that moves straight over black, 40 kinds; 6 frames of 20x20",
 "steps":f"{last['step']+1} of both players, 16 clips each, every clip new",
 "recipe":f"common/zoo/{place.name}/recipe.py, preset cpu: Adam, hinge loss, gradient penalty 0.3, running mean of the weights",
 "hardware":"one core of an AMD EPYC without bfloat16, one thread; no GPU",
 "wall-clock":f"{last['cpu_seconds']/60:.0f} minutes of the core",
 "date":subprocess.run(["date","+%F"],capture_output=True,text=True).stdout.strip(),
 "commit":subprocess.run(["git","rev-parse","--short","HEAD"],capture_output=True,text=True).stdout.strip()},
 weights=file_facts(place), fails=fails)
page=place/"card.md"; text=page.read_text()
made="\n".join(["## How it was made","","| | |","|---|---|"]+[f"| {k} | {v} |" for k,v in card.made.items()]+["",""])
if "## How it was made" not in text: text=text.replace("## How good it is",made+"## How good it is")
if "## What fails" not in text: text=text.rstrip("\n")+"\n\n## What fails\n\n"+"\n".join(f"- {x}" for x in fails)+"\n"
page.write_text(text); write_card(place,card)
print(name,last)
