import json,base64,sys,re
nb=json.load(open(sys.argv[1])); k=0
for i,c in enumerate(nb['cells']):
    for o in c.get('outputs',[]):
        if o['output_type']=='stream': print(i,'|',''.join(o['text'])[:1500])
        d=o.get('data',{})
        for t in ('image/png','image/jpeg'):
            if t in d:
                f=f'/work/runs/021/pic_{i:02d}.'+t[6:9]; open(f,'wb').write(base64.b64decode(d[t])); print(i,f,len(d[t]))
        if 'text/html' in d and 'image/png' not in d:
            h=''.join(d['text/html'])
            for m in re.finditer(r'data:image/(png|jpeg|webp);base64,([A-Za-z0-9+/=]+)',h):
                f=f'/work/runs/021/pic_{i:02d}.{m[1][:3]}'; open(f,'wb').write(base64.b64decode(m[2])); print(i,f,len(m[2]))
            if 'base64' not in h: print(i,'html',re.sub('<[^>]+>',' ',h)[:200])
