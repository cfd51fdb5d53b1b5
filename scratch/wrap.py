import sys,re,textwrap
for p in sys.argv[1:]:
    L=open(p).read().split("\n"); out=[]; i=0; md=False
    def flush(par):
        if not par: return
        if any(len(l)>120 for l in par) and not any(l.startswith(("# |","# $$")) for l in par):
            # split into items
            items=[];
            for l in par:
                t=l[2:]
                if re.match(r"(- |\d+\. )",t) or not items: items.append([t])
                else: items[-1].append(t.strip())
            for it in items:
                txt=" ".join(it); m=re.match(r"(- |\d+\. )",txt); ind=" "*len(m.group(1)) if m else ""
                out.extend("# "+x for x in textwrap.wrap(txt,118,subsequent_indent=ind,break_long_words=False,break_on_hyphens=False))
        else: out.extend(par)
    par=[]
    for l in L:
        if l.startswith("# %%"):
            flush(par); par=[]; md="[markdown]" in l; out.append(l); continue
        if md and l.startswith("# ") and not l.startswith("# #"): par.append(l)
        else: flush(par); par=[]; out.append(l)
    flush(par)
    open(p,"w").write("\n".join(out))
