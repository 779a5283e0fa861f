//! Services, pools and reals: the forwarding table image, classification and Maglev selection.
