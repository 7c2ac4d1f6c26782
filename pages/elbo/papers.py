"""The papers that this page names, as links: opened when they are clicked, and never fetched."""

BURDA = "[Burda et al. 2016](https://arxiv.org/abs/1509.00519)"
DOERSCH = "[Doersch 2016](https://arxiv.org/abs/1606.05908)"
KINGMA = "[Kingma and Welling 2013](https://arxiv.org/abs/1312.6114)"
MATTEI = "[Mattei and Frellsen 2018](https://arxiv.org/abs/1802.04826)"
REZENDE = "[Rezende et al. 2014](https://arxiv.org/abs/1401.4082)"
RYBKIN = "[Rybkin et al. 2021](https://arxiv.org/abs/2006.13202)"
