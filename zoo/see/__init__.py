"""What a network looks at: attributions to atoms, images as the network gets them, pages that turn in 3D."""
