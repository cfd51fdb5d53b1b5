import sys,textwrap,re
p=sys.argv[1]; L=open(p).read().split('\n'); out=[]; i=0
def special(l): return not l.startswith('# ') or l.startswith('# %%') or l.startswith('# |') or l.startswith('# #') or l.startswith('# $$') or l.strip()=='#' 
while i<len(L):
    if special(L[i]): out.append(L[i]); i+=1; continue
    j=i; para=[]
    while j<len(L) and not special(L[j]) and not (j>i and re.match(r'# (\d\.|-) ',L[j])): para.append(L[j]); j+=1
    if any(len(l)>120 for l in para):
        m=re.match(r'# ((\d\.|-) +)?',para[0]); first=m.group(0); rest='# '+' '*(len(first)-2)
        text=' '.join([para[0][len(first):]]+[l[2:].strip() for l in para[1:]])
        out+=textwrap.wrap(text,120,initial_indent=first,subsequent_indent=rest,break_long_words=False,break_on_hyphens=False)
    else: out+=para
    i=j
open(p,'w').write('\n'.join(out))
